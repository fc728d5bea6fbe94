import { allBlocks, placeOf } from "../docs/blocks";

const page = "docs/pulumi-other-languages.md";

/** The block of the page that is marked with the name. */
export function printed(name: string): { text: string; place: string } {
  const block = allBlocks().find(({ file, mark }) => file === page && mark?.kind === "engine" && mark.name === name);
  if (!block) throw new Error(`no block of ${page} is marked <!-- docs: engine name=${name} -->`);
  return { text: block.text, place: placeOf(block) };
}
