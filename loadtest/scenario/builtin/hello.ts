/** An HTTP client as a scenario, with a codec of its own: requests as text, and whole responses. Pure. @module */
import { HttpResponseError, ResponseParser } from "../../../http/response_parser.ts";
import { bytesCodec } from "../../../socket/codecs/bytes_codec.ts";
import type { Codec, Decoded, Decoder, Encoder } from "../../../socket/codecs/codec.ts";
import { FramingError } from "../../../socket/errors.ts";
import { type Scenario, scenario } from "../scenario.ts";

/** An HTTP response, without its body. */
export interface HttpReply {
  /** The status code. */
  readonly status: number;
  /** Bytes of the body. */
  readonly length: number;
}

class ResponseDecoder implements Decoder<string | HttpReply> {
  #parser = new ResponseParser("GET");
  #begun = false;
  #status = 0;
  #length = 0;

  push(bytes: Uint8Array): Decoded<string | HttpReply> {
    const frames: HttpReply[] = [];
    try {
      for (let at = 0; at < bytes.length; at += this.#parser.used) {
        if (this.#parser.done) this.#parser = new ResponseParser("GET");
        this.#begun = true;
        for (const event of this.#parser.push(bytes.subarray(at))) {
          if (event.type === "head") this.#status = event.head.status;
          else if (event.type === "data") this.#length += event.data.length;
          else {
            frames.push({ status: this.#status, length: this.#length });
            this.#begun = false;
            this.#length = 0;
          }
        }
      }
    } catch (error) {
      if (!(error instanceof HttpResponseError)) throw error;
      return { frames, error: new FramingError("bad-frame", `Invalid HTTP response: ${error.message}`) };
    }
    return { frames };
  }

  end(): FramingError | undefined {
    return this.#begun
      ? new FramingError("unterminated", "The connection ended inside a response")
      : undefined;
  }
}

class RequestEncoder implements Encoder<string | HttpReply> {
  readonly #bytes = bytesCodec.encoder();

  get size(): number {
    return this.#bytes.size;
  }

  push(request: string | HttpReply): void {
    this.#bytes.push(new TextEncoder().encode(String(request)));
  }

  take(): Uint8Array {
    return this.#bytes.take();
  }
}

const codec: Codec<string | HttpReply> = {
  decoder: () => new ResponseDecoder(),
  encoder: () => new RequestEncoder(),
};

/** A scenario for HTTP servers: each session gets `/`, and expects a whole response with a status from 200 to 399. */
const hello: Scenario<string | HttpReply, undefined> = scenario({
  codec,
  async session(t) {
    await t.ask("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", {
      expect: (response) => typeof response === "object" && response.status >= 200 && response.status < 400,
      name: "GET /",
    });
  },
});

export default hello;
