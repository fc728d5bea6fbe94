/** Rows under their titles, in columns as wide as their content. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const shown = [titles, ...rows].map((row) => row.map((cell) => printable(cell)));
  const widths = titles.map((_, column) => Math.max(...shown.map((row) => row[column]?.length ?? 0)));
  return shown
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Pairs of a name and a value, one per line. */
export function listing(entries: readonly (readonly [string, string])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}`).join("\n");
}

/** Escapes characters that would move a terminal's cursor or color its text: attributes and payloads are untrusted. */
export function printable(value: string, except = ""): string {
  return value.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    except.includes(character) ? character : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** `1 dead letter`, `2 dead letters` */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
