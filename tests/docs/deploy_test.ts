import { assert, assertEquals, assertObjectMatch } from "@std/assert";
import { parseAllDocuments } from "yaml";
import { services } from "../../cli/server/services/mod.ts";

const FOLDER = new URL("../../docs/deploy/", import.meta.url);

function read(name: string): string {
  return Deno.readTextFileSync(new URL(name, FOLDER));
}

/** Returns the documents of a YAML file. */
function documentsOf(name: string): Record<string, unknown>[] {
  const documents = parseAllDocuments(read(name), { strict: true });
  assert(Array.isArray(documents), name);
  return documents.map((document) => {
    assertEquals(document.errors.concat(document.warnings), [], name);
    return document.toJS() as Record<string, unknown>;
  });
}

/** Checks that every option of a command line of the relay exists. */
function assertRelayOptions(args: readonly string[]): void {
  for (const arg of args.filter((arg) => arg.startsWith("--"))) {
    const name = arg.slice(2).replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    assert(name in services.relay.options, arg);
  }
}

/** Runs a checker of files, if it is installed. Returns `undefined` if it is not. */
async function check(command: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args] }).output();
    const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
    assert(success, said);
    return said;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

Deno.test("docs/deploy has valid YAML, and options that the relay has", () => {
  const [compose] = documentsOf("compose/compose.yaml");
  const { relay } = compose!.services as { relay: { command: string[] } };
  assertRelayOptions(relay.command);
  const kinds = ["kubernetes/relay.yaml", "kubernetes/nats.yaml", "kubernetes/kustomization.yaml"].flatMap(
    documentsOf,
  );
  assertEquals(kinds.map(({ kind }) => kind), [
    "Deployment",
    "Service",
    "PodDisruptionBudget",
    "Deployment",
    "Service",
    "Kustomization",
  ]);
  const deployment = kinds[0] as {
    spec: { template: { spec: { terminationGracePeriodSeconds: number; containers: { args: string[] }[] } } };
  };
  const { containers, terminationGracePeriodSeconds } = deployment.spec.template.spec;
  const { args } = containers[0]!;
  assertRelayOptions(args);
  const drain = parseInt(args[args.indexOf("--drain-timeout") + 1]!);
  assert(terminationGracePeriodSeconds > drain + 5, "the pod is killed before it has drained");
});

Deno.test("docs/deploy has units that give the relay time to drain, and options that it has", () => {
  const unit = read("systemd/okline-relay.service");
  const command = /^ExecStart=(.*)$/m.exec(unit)![1]!.split(" ");
  assertRelayOptions(command);
  const drain = parseInt(command[command.indexOf("--drain-timeout") + 1]!);
  assert(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)![1]) > drain);
});

Deno.test("docs/deploy has units that systemd accepts", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    // The program is not installed here.
    const unit = read("systemd/okline-relay.service").replaceAll("/usr/local/bin/okline-server", "/bin/true");
    const files = ["okline-relay.service", "okline-relay.socket"].map((name) => `${folder}/${name}`);
    Deno.writeTextFileSync(files[0]!, unit);
    Deno.writeTextFileSync(files[1]!, read("systemd/okline-relay.socket"));
    assertEquals(await check("systemd-analyze", ["verify", ...files]) || "", "");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("docs/deploy has a configuration that HAProxy accepts, and manifests that kubectl renders", async () => {
  await check("haproxy", ["-c", "-f", new URL("compose/haproxy.cfg", FOLDER).pathname]);
  const rendered = await check("kubectl", ["kustomize", new URL("kubernetes", FOLDER).pathname]);
  assertEquals(rendered === undefined || rendered.includes("kind: PodDisruptionBudget"), true);
});

// These commands decode a document to the types of Kubernetes, and encode it again without what the types do not have.
const RECODING: Readonly<Record<string, readonly string[]>> = {
  Deployment: ["set", "env", "--all", "X=y"],
  Service: ["set", "selector", "x=y"],
};

Deno.test("docs/deploy has manifests whose every field is one of Kubernetes", async () => {
  const documents = ["kubernetes/relay.yaml", "kubernetes/nats.yaml"].flatMap(documentsOf);
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    for (const document of documents) {
      const command = RECODING[String(document.kind)];
      if (command === undefined) continue;
      await Deno.writeTextFile(file, JSON.stringify(document));
      const encoded = await check("kubectl", [...command, "--local", "-f", file, "-o", "json"]);
      if (encoded === undefined) return;
      const known = JSON.parse(encoded);
      // What the command sets.
      if (document.kind === "Service") {
        known.spec.selector = (document.spec as { selector: unknown }).selector;
      }
      assertObjectMatch(known, document);
    }
  } finally {
    await Deno.remove(file);
  }
});
