import type { Block } from "../blocks";
import { Stage } from "../stage";
import type { Scene } from "./scene";

export const isRunnable = ({ language }: Block): boolean =>
  ["sh", "ts", "js", "python", "java", "go"].includes(language);

/** What becomes of a block without a name: it has to end, and with 0. */
export const alone: Scene = {
  async play(block) {
    if (block.language === "sh") await new Stage().shell(block).succeeded();
    else await (await Stage.withPackages().module(block, {})).succeeded();
  },
};
