import { resolve } from "node:path";

/** The folder of the root package.json. */
export const repository = resolve(__dirname, "../..");
