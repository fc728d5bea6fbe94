import { backendScenes } from "./backend";
import { clientScenes } from "./client";
import { commandLineScenes } from "./commandLine";
import { operationsScenes } from "./operations";
import { otherLanguagesScenes } from "./otherLanguages";
import { programScenes } from "./program";
import type { Scene } from "./scene";
import { streamingScenes } from "./streaming";

/** By the name in a block's mark. */
export const scenes: Record<string, Scene> = {
  ...backendScenes,
  ...clientScenes,
  ...commandLineScenes,
  ...operationsScenes,
  ...otherLanguagesScenes,
  ...programScenes,
  ...streamingScenes,
};
