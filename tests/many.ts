import { runProperty } from "./support/property/run";
(async () => {
  const first = Number(process.argv[2]), n = Number(process.argv[3]);
  const by = new Map<string, number[]>(); let bad = 0; const t = Date.now();
  for (let seed = first; seed < first + n; seed++) {
    try { await runProperty({ messages: 500, seed }); }
    catch (error) { bad++; const m = String((error as Error).message).split("\n")[0]!;
      const kind = m.replace(/^seed \d+ \(.*?\): /, "").replace(/[0-9a-f-]{36}|\b[mcu]?\d+\b|epoch\d+/g, "#");
      by.set(kind, [...(by.get(kind) ?? []), seed]);
      }
  }
  console.log(bad, "of", n, (Date.now() - t) / 1000, "s");
  for (const [kind, seeds] of [...by].sort((a, b) => b[1].length - a[1].length)) console.log(seeds.length, kind, seeds.slice(0, 5).join(" "));
  process.exit(0);
})();
