import { readFileSync } from "node:fs";

export const nextToIt = readFileSync("nextToIt.txt", "utf8");
