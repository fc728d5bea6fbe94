// What the pages leave to their reader: own values and functions, by the names under which the code blocks use them.

declare const websocketUrl: string;
declare const readUrl: string;
declare const url: string;
declare const token: string;
declare const topicArn: string;
declare const tableName: string;
declare const managementEndpoint: string;
declare const historyTableName: string;
declare const userId: string;

declare function fetchToken(): Promise<string>;
declare function signToken(): Promise<string>;
declare function show(message: unknown): void;
declare function work(id: string | undefined, body: string): Promise<void>;
declare function reloadEverything(): void;
declare const banner: HTMLElement;
