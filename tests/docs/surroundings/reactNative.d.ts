// As much of these packages as the pages use: they are hundreds of megabytes.

declare module "react-native" {
  export const AppState: { addEventListener(type: "change", listener: (state: string) => void): void };
}

declare module "@react-native-async-storage/async-storage" {
  const AsyncStorage: {
    getItem(key: string): Promise<string | null>;
    setItem(key: string, value: string): Promise<void>;
  };
  export default AsyncStorage;
}
