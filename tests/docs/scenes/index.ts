import { backendScenes } from "./backend";
import { clientScenes } from "./client";
import { commandLineScenes } from "./commandLine";
import { operationsScenes } from "./operations";
import { programScenes } from "./program";
import type { Scene } from "./scene";

/** By the name in a block's mark. */
export const scenes: Record<string, Scene> = {
  ...backendScenes,
  ...clientScenes,
  ...commandLineScenes,
  ...operationsScenes,
  ...programScenes,
};
