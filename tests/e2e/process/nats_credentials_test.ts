// Relays that join a NATS server by the credentials of a user.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { NatsAccounts } from "../../_util/programs/nats_accounts.ts";
import { HAS_NATS, NatsServer } from "../../_util/programs/nats_server.ts";
import { runClient, runServer, ServerProcess } from "../../_util/programs/program.ts";
import { TempDir } from "../../_util/temp_dir.ts";

/** The permissions that a node of the cluster `okline` needs, as documented. */
const NODE = { publish: ["okline.okline.>"], subscribe: ["okline.okline.all", "okline.okline.node.*"] };

const MALFORMED = '.creds" for NATS: expected the JWT and the seed of a user';

Deno.test(
  "server.ts relay --cluster-credentials joins NATS as a user with the documented permissions",
  { ignore: !HAS_NATS },
  async () => {
    await using folder = new TempDir();
    const [config, credentials] = [`${folder.path}/nats.conf`, `${folder.path}/node.creds`];
    const [accounts, strangers] = [new NatsAccounts(), new NatsAccounts()];
    await folder.write("nats.conf", accounts.configuration);
    await folder.write("node.creds", accounts.credentials(NODE));
    await folder.write("stranger.creds", strangers.credentials(NODE));
    await folder.write("malformed.creds", "a password");
    // Without the last character of the seed.
    const damaged = accounts.credentials(NODE).replace(/.\n------END USER/, "\n------END USER");
    await folder.write("damaged.creds", damaged);
    await using nats = await NatsServer.start({ args: ["-c", config] });
    const cluster = ["--cluster", nats.url, "--cluster-credentials"];
    await using one = await ServerProcess.start("relay", ...cluster, credentials);
    await using two = await ServerProcess.start("relay", ...cluster, credentials);
    for (const server of [one, two]) await server.until(({ nodes }) => nodes === 1);
    const { code, err } = await runClient(["relay", "--port", `${one.port}`, "--clients", "30"]);
    assertEquals(code, 0, err);

    const relay = ["relay", "--port", "0", "--cluster", nats.url];
    for (
      const [options, says] of [
        [["--cluster-credentials", `${folder.path}/stranger.creds`], "Authorization Violation"],
        [[], "Authorization Violation"],
        [["--cluster-credentials", `${folder.path}/malformed.creds`], MALFORMED],
        [["--cluster-credentials", `${folder.path}/damaged.creds`], MALFORMED],
      ] as const
    ) {
      const refused = await runServer([...relay, ...options]);
      assertEquals(refused.code, 1, refused.err);
      assertStringIncludes(refused.err, says);
    }
  },
);
