// Source code to learn from and to measure on, from the registries, pinned. Never committed.
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { npm, root, run, say } from "./lib.mjs";

const npmCorpus = (name, version, parts, use) => ({ name: `${name.replace(/.*\//, "")}-${version}`, npm: name, version, parts, use });
const debian = (name, from, version, parts, use) => ({ name, debian: from, version, parts, use });
const own = (name, parts, use) => ({ name, parts, use });

const go = "usr/share/go-1.19/src";
const rust = "usr/src/rustc-1.63.0/library";
const python = "usr/lib/python3/dist-packages";

/**
 * "development" is what weights and words are learned from and what choices are made by: permissively licensed. "test" is for measuring:
 * of other projects than those, and no weight is learned from it. "bench" is what npm run bench trains on and types.
 */
export const corpora = [
  debian("go-net", "golang-1.19-src", "1.19.8-2", [`${go}/net`], "development"),
  debian("go-encoding", "golang-1.19-src", "1.19.8-2", [`${go}/encoding`], "development"),
  debian("rust-std", "rust-src", "1.63.0+dfsg1-2", [`${rust}/std/src`], "development"),
  debian("rust-alloc", "rust-src", "1.63.0+dfsg1-2", [`${rust}/alloc`], "development"),
  debian("python-django", "python3-django", "3:3.2.25-0+deb12u7", [`${python}/django/db`], "development"),
  debian("python-sqlalchemy", "python3-sqlalchemy", "1.4.46+ds1-1", [`${python}/sqlalchemy`], "development"),
  debian("cpp-asio", "libboost1.74-dev", "1.74.0+ds1-21", ["usr/include/boost/asio"], "development"),
  own("csharp-own", ["server/LlmAssist.Engine", "server/LlmAssist.Server", "tests/LlmAssist.Tests"], "development"),
  npmCorpus("webpack", "5.101.3", ["lib"], "development bench"),
  npmCorpus("rxjs", "7.8.2", ["src"], "development bench"),
  npmCorpus("three", "0.180.0", ["src"], "bench"),
  npmCorpus("svelte", "5.38.10", ["src"], "test bench"),
  npmCorpus("@reduxjs/toolkit", "2.2.7", ["src"], "test"),
  debian("go-grpc", "golang-google-grpc-dev", "1.33.3-2", ["usr/share/gocode/src/google.golang.org/grpc"], "test"),
  debian("rust-tokio", "librust-tokio-dev", "1.24.2-1", ["usr/share/cargo/registry/tokio-1.24.2"], "test"),
  debian("python-numpy", "python3-numpy", "1:1.24.2-1+deb12u1", ["core", "lib", "ma", "linalg"].map((part) => `${python}/numpy/${part}`), "test"),
  debian("cpp-eigen", "libeigen3-dev", "3.4.0-4", ["usr/include/eigen3/Eigen/src"], "test"),
];

export const corporaFor = (use) => corpora.filter((corpus) => corpus.use.split(" ").includes(use));

export const described = (chosen) => chosen.map(({ name, npm: packed, debian: from, version }) => packed ?? from ? `${packed ?? from} ${version}` : name).join(", ");

/** Brings corpora into a folder, each below its name, and answers where they are. */
export async function fetchCorpora(chosen, folder) {
  for (const corpus of chosen) {
    const target = path.join(folder, corpus.name);
    if (existsSync(target) && corpus.version !== undefined) {
      continue;
    }
    say(`Fetching ${corpus.name} ...`, `Descargando ${corpus.name} ...`);
    const work = path.join(folder, ".work");
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    const unpacked = corpus.npm !== undefined ? await fromNpm(corpus, work) : corpus.debian !== undefined ? await fromDebian(corpus, work) : root;
    // Under its final name only when it is whole, so that an interrupted run leaves no half a corpus. Of a part's path only the end is
    // kept: folders of package managers on the way would make it a dependency, which nobody learns from.
    for (const part of corpus.parts) {
      cpSync(path.join(unpacked, part), path.join(work, "whole", path.basename(part)), { recursive: true });
    }
    rmSync(target, { recursive: true, force: true });
    renameSync(path.join(work, "whole"), target);
    rmSync(work, { recursive: true, force: true });
  }
  return chosen.map(({ name }) => path.join(folder, name));
}

// Packed rather than installed: no dependencies come along, and no package's own scripts run.
async function fromNpm({ npm: name, version }, work) {
  await npm(["pack", `${name}@${version}`, "--ignore-scripts", "--pack-destination", work], { quiet: true, cwd: work });
  await run("tar", ["-xzf", only(work, ".tgz")], { quiet: true, cwd: work });
  return path.join(work, "package");
}

async function fromDebian({ debian: name, version }, work) {
  await run("apt-get", ["download", `${name}=${version}`], { quiet: true, cwd: work });
  await run("dpkg-deb", ["-x", only(work, ".deb"), "package"], { quiet: true, cwd: work });
  return path.join(work, "package");
}

const only = (folder, ending) => readdirSync(folder).find((file) => file.endsWith(ending));
