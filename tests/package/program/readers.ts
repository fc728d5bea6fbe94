const readers = new Set(["Ada", "Grace"]);

export function isReader(code: string): boolean {
  return readers.has(code);
}
