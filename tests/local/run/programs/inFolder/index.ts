import { readFileSync } from "node:fs";

export const beside = readFileSync("beside.txt", "utf8");
