import { expect } from "chai";
import { sections, spec } from "../../../components/args/spec";
import { optionsWithPaths } from "../../support/optionPaths";
import { declaredArguments } from "./interfaces";

const declared = new Map(declaredArguments().map((argument) => [argument.path, argument]));
const options = optionsWithPaths();

describe("the spec", () => {
  it("has every argument of the interfaces, those of nested objects too, and no other", () => {
    expect(declared.size).to.be.above(60);
    expect(options.map(({ path }) => path)).to.have.members([...declared.keys()]);
  });

  it("presents each argument in one section", () => {
    const presented = sections.flatMap((section) => Object.keys(section.options));
    expect(presented).to.have.members(Object.keys(spec));
    expect(new Set(presented).size).to.equal(presented.length);
  });

  it("describes every option, and says of each what happens without it", () => {
    for (const { path, option } of options) {
      expect(option.description, path).to.match(/^[A-Z].{20,}\.$/);
      const answers = [option.required, option.default !== undefined, option.otherwise].filter(Boolean);
      expect(answers, path).to.have.lengthOf(1);
    }
  });

  for (const { path, option } of options) {
    it(`agrees with the declaration of ${path}`, () => {
      const {
        optional,
        type,
        docstring,
        default: byDefault,
      } = declared.get(path) ?? expect.fail(`no argument ${path}`);
      expect(optional).to.equal(!option.required);
      if (option.type === "integer") expect(type).to.equal("number");
      if (option.type === "boolean") expect(type).to.equal("boolean");
      if (option.type === "array") expect(type).to.match(/\[\]$/);
      if (option.type === "string") {
        const words = option.oneOf?.map((word) => JSON.stringify(word)).join(" | ");
        expect(type).to.equal(words ?? "string");
      }
      expect(/Only in replay mode/i.test(docstring)).to.equal(option.replayOnly === true);
      // A list or an object of a default is described in words.
      if (["number", "string", "boolean"].includes(typeof option.default) || option.default === null) {
        expect(byDefault?.split(/[:,;]/)[0]).to.equal(JSON.stringify(option.default));
      }
      const ranges = [...docstring.matchAll(/([\d,]+) to ([\d,]+)/g)].map(([, ...range]) => range.map(toNumber));
      expect(ranges.every((range) => String(range) === String([option.min, option.max]))).to.equal(true);
      // The docstring of AlarmArgs has the range of counts that have no limit of their own.
      if (option.min !== undefined && option.max !== 1_000_000_000) expect(ranges).to.not.be.empty;
    });
  }
});

function toNumber(text: string): number {
  return Number(text.replaceAll(",", ""));
}
