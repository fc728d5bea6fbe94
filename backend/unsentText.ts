/** The text of a stream that is not part of a chunk yet. */
export class UnsentText {
  private text = "";
  /** The first half of a surrogate pair, until its second half is appended. */
  private half = "";
  /** The size of the text in UTF-8, without `half`. */
  bytes = 0;

  append(text: string): void {
    const joined = this.half + text;
    const end = isFirstHalf(joined, joined.length - 1) ? joined.length - 1 : joined.length;
    this.half = joined.slice(end);
    this.add(joined.slice(0, end));
  }

  /** The text is complete: a high surrogate without its low one is text, too. */
  complete(): void {
    this.add(this.half);
    this.half = "";
  }

  /** Removes up to `maxLength` code units, at least 2, from the beginning; cuts no surrogate pair. */
  take(maxLength: number): string {
    const isCut = this.text.length > maxLength;
    const taken = this.text.slice(0, isCut && isFirstHalf(this.text, maxLength - 1) ? maxLength - 1 : maxLength);
    this.text = this.text.slice(taken.length);
    this.bytes -= Buffer.byteLength(taken);
    return taken;
  }

  private add(text: string): void {
    this.text += text;
    this.bytes += Buffer.byteLength(text);
  }
}

function isFirstHalf(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  return unit >= 0xd800 && unit <= 0xdbff;
}
