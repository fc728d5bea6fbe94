/** @throws where the environment lacks it */
export function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; the README says where its value comes from`);
  return value;
}
