import { expect } from "chai";
import { readOptions } from "../../bench/options";

describe("the options of npm run bench", () => {
  it("measure every row and the base commit without arguments", () => {
    const options = readOptions([]);
    expect(options.quick).to.equal(false);
    expect(options.only).to.equal(undefined);
    expect(options.base).to.match(/^[0-9a-f]{7,40}$/);
  });

  it("take rows, another base, or none", () => {
    const options = readOptions(["--quick", "--only", "held", "--only", "retry", "--base", "HEAD~1"]);
    expect(options).to.deep.equal({ quick: true, only: ["held", "retry"], base: "HEAD~1" });
    expect(readOptions(["--no-base"])).to.not.have.property("base");
  });

  const refused: [string[], RegExp][] = [
    [["--fast"], /--fast: got an unknown argument; allowed: --quick.*Fix/],
    [["--only", "speed"], /--only: got speed; allowed: delivered, batch.*Fix/],
    [["--only"], /--only: got nothing/],
    [["--base"], /--base: got nothing; allowed: a commit/],
  ];
  for (const [args, message] of refused) {
    it(`refuse ${args.join(" ")}`, () => {
      expect(() => readOptions(args)).to.throw(message);
    });
  }
});
