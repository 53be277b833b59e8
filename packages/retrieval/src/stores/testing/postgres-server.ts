import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Client } from "pg";

/** A server that a test has started, of which it is the only user. */
export interface PostgresServer {
  url: string;
  /** Kills it as a crash does, and starts it again on the same files. */
  crash(): void;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** The folder of `initdb`, `postgres` and `pg_config`; undefined where there is none. */
function serverFolder(): string | undefined {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(debian, version, "bin")), ...(process.env.PATH ?? "").split(":")];
  return folders.find(
    (folder) => folder !== "" && existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")),
  );
}

/** Why no server with pgvector can be started here; undefined where it can. */
export function postgresMissing(): string | undefined {
  const folder = serverFolder();
  if (folder === undefined) return "PostgreSQL (initdb, postgres) is not on this machine";
  try {
    const shared = execFileSync(join(folder, "pg_config"), ["--sharedir"], { encoding: "utf8" }).trim();
    return existsSync(join(shared, "extension", "vector.control"))
      ? undefined
      : "pgvector is not on this machine (Debian: postgresql-NN-pgvector, else from its source)";
  } catch {
    return "pg_config is not on this machine, which tells where pgvector is";
  }
}

/** PostgreSQL does not run as root: a user that is there for it. */
function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string, user: string): number => Number(execFileSync("id", [flag, user], { encoding: "utf8" }));
  for (const user of ["postgres", "nobody"]) {
    try {
      return { uid: id("-u", user), gid: id("-g", user) };
    } catch {
      // The next one.
    }
  }
  return {};
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}

/** Starts a server on a new folder and a free port. */
export async function startPostgres(): Promise<PostgresServer> {
  const binaries = serverFolder() ?? "";
  const user = unprivileged();
  const folder = await mkdtemp(join(tmpdir(), "rag-ft-postgres-"));
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const options = { ...user, cwd: folder, stdio: "ignore" as const };
  execFileSync(
    join(binaries, "initdb"),
    ["-D", data, "-U", "tester", "-A", "trust", "--no-sync", "-E", "UTF8"],
    options,
  );
  const port = await freePort();
  const url = `postgresql://tester@127.0.0.1:${port}/postgres`;
  let child: ChildProcess | undefined;
  const kill = (signal: NodeJS.Signals): Promise<void> =>
    new Promise((resolve) => {
      if (!child || child.exitCode !== null || child.signalCode !== null) return resolve();
      child.once("exit", () => resolve());
      child.kill(signal);
    });
  const start = async (): Promise<void> => {
    const flags = ["-p", String(port), "-k", folder, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"];
    child = spawn(join(binaries, "postgres"), ["-D", data, ...flags], options);
    const stopped = Date.now() + 60_000;
    while (!(await answers(url))) {
      if (Date.now() > stopped || child.exitCode !== null) throw new Error("PostgreSQL did not start.");
      await wait(50);
    }
  };
  await start();
  return {
    url,
    start,
    // SIGQUIT: at once, without a word to who is connected and without a checkpoint, as after a failure.
    crash: () => void child?.kill("SIGQUIT"),
    async close() {
      await kill("SIGQUIT");
      await rm(folder, { recursive: true, force: true });
    },
  };
}
