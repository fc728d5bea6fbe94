import { type Part, play } from "./player";

// The player in Cloudflare Workers: its part is the request's body, and what it says is the response's.
export default {
  async fetch(request: Request): Promise<Response> {
    const part = (await request.json()) as Part;
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const encoder = new TextEncoder();
    const say = (line: object) => void writer.write(encoder.encode(`${JSON.stringify(line)}\n`));
    void play(part, say).then(() => writer.close());
    return new Response(readable);
  },
};
