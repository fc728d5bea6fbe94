/**
 * Reads the frame headers in what a WebSocket client sends, whatever the chunks it arrives in, and calls `onFrame`
 * with each frame's payload length and opcode as soon as its header is there. `ws` bounds the message only
 * (`maxPayload`); API Gateway bounds the frame as well.
 */
export class FrameReader {
  private header: number[] = [];
  private payloadBytesLeft = 0;

  constructor(private readonly onFrame: (payloadBytes: number, opcode: number) => void) {}

  read(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.payloadBytesLeft > 0) {
        const passed = Math.min(this.payloadBytesLeft, chunk.length - at);
        this.payloadBytesLeft -= passed;
        at += passed;
        continue;
      }
      this.header.push(chunk[at++] as number);
      if (this.header.length < headerBytes(this.header)) continue;
      this.payloadBytesLeft = payloadBytes(this.header);
      const opcode = (this.header[0] as number) & 0x0f;
      this.header = [];
      this.onFrame(this.payloadBytesLeft, opcode);
    }
  }
}

// RFC 6455, 5.2: two bytes, then 0, 2 or 8 bytes of extended length, then 4 bytes of mask if there is one.
function headerBytes(header: number[]): number {
  const second = header[1];
  if (second === undefined) return 2;
  const length = second & 0x7f;
  return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (second & 0x80 ? 4 : 0);
}

function payloadBytes(header: number[]): number {
  const length = (header[1] as number) & 0x7f;
  if (length < 126) return length;
  return header.slice(2, length === 126 ? 4 : 10).reduce((value, byte) => value * 256 + byte, 0);
}
