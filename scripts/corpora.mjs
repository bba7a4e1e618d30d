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

const goParts = ["archive", "bufio", "bytes", "compress", "container", "crypto", "database", "debug", "encoding", "flag", "fmt", "go", "hash", "html", "image", "index", "io",
  "log", "math", "mime", "net", "os", "path", "reflect", "regexp", "sort", "strconv", "strings", "sync", "testing", "text", "time", "unicode"];

/**
 * "prior" is what the model of a language is learned from that ships with the program, and "development" what weights and words are learned
 * from and what choices are made by: both permissively licensed, and of different projects, as a user's project is one that no prior has seen.
 * "test" is for measuring: no weight was learned from it, though some choices of earlier versions were made by it. "proof" is for measuring
 * too, and nothing is ever chosen by it. "bench" is what npm run bench trains on and types.
 */
export const corpora = [
  { ...debian("go-src", "golang-1.19-src", "1.19.8-2", goParts.map((part) => `${go}/${part}`), "prior"), prior: "go", holder: "2009 The Go Authors", licence: "BSD-3-Clause" },
  { ...debian("rust-library", "rust-src", "1.63.0+dfsg1-2", ["std", "core", "alloc"].map((part) => `${rust}/${part}`), "prior"), prior: "rust", holder: "The Rust Project Developers", licence: "MIT OR Apache-2.0" },
  { ...debian("python-stdlib", "libpython3.11-stdlib", "3.11.2-6+deb12u9", ["usr/lib/python3.11"], "prior"), prior: "python", holder: "2001-2023 Python Software Foundation", licence: "PSF-2.0" },
  { ...npmCorpus("react-native", "0.68.7", ["ReactAndroid"], "prior"), name: "react-native-java", prior: "java", holder: "Meta Platforms, Inc. and affiliates", licence: "MIT" },
  { ...npmCorpus("react-native-windows", "0.57.2", ["ReactWindows"], "prior"), prior: "csharp", holder: "Microsoft Corporation and contributors; 2015-present Facebook, Inc.", licence: "MIT" },
  { ...npmCorpus("react-native-windows", "0.62.0", ["Microsoft.ReactNative.SharedManaged"], "prior"), prior: "csharp", holder: "Microsoft Corporation and contributors; 2015-present Facebook, Inc.", licence: "MIT" },
  { ...npmCorpus("mongodb", "6.8.0", ["src"], "prior"), prior: "javascript", holder: "MongoDB, Inc.", licence: "Apache-2.0" },
  { ...npmCorpus("effect", "3.6.5", ["src"], "prior"), prior: "javascript", holder: "2023 Effectful Technologies Inc", licence: "MIT" },
  { ...npmCorpus("msw", "2.4.1", ["src"], "prior"), prior: "javascript", holder: "2018-present Artem Zakharchenko", licence: "MIT" },
  { ...npmCorpus("eslint", "9.9.0", ["lib"], "prior"), prior: "javascript", holder: "OpenJS Foundation and other contributors", licence: "MIT" },
  { ...npmCorpus("lodash-es", "4.17.21", ["."], "prior"), prior: "javascript", holder: "OpenJS Foundation and other contributors", licence: "MIT" },
  { ...npmCorpus("react-native", "0.68.7", ["Libraries"], "prior"), name: "react-native-js", prior: "javascript", holder: "Meta Platforms, Inc. and affiliates", licence: "MIT" },
  { ...npmCorpus("react-native", "0.68.7", ["ReactCommon"], "prior"), name: "react-native-cpp", prior: "cpp", holder: "Meta Platforms, Inc. and affiliates", licence: "MIT" },
  { ...npmCorpus("node-sass", "7.0.3", ["src"], "prior"), prior: "cpp", holder: "2013-2016 Andrew Nesbitt; LibSass: 2013 Hampton Catlin and contributors", licence: "MIT" },
  { ...npmCorpus("leveldown", "6.1.1", ["deps"], "prior"), prior: "cpp", holder: "LevelDB: 2011 The LevelDB Authors; Snappy: 2005-2011 Google Inc.", licence: "BSD-3-Clause" },
  { ...npmCorpus("libxmljs", "1.0.11", ["vendor/libxml2"], "prior"), prior: "cpp", holder: "libxml2: 1998-2012 Daniel Veillard", licence: "MIT" },
  { ...npmCorpus("tree-sitter", "0.21.1", ["vendor"], "prior"), prior: "cpp", holder: "2014 maxbrunsfeld", licence: "MIT" },
  { ...debian("protobuf", "libprotobuf-dev", "3.21.12-3+deb12u1", ["usr/include/google"], "prior"), prior: "cpp", holder: "2008 Google Inc.", licence: "BSD-3-Clause" },
  { ...debian("abseil", "libabsl-dev", "20220623.1-1+deb12u2", ["usr/include/absl"], "prior"), prior: "cpp", holder: "The Abseil Authors", licence: "Apache-2.0" },
  debian("go-docker", "golang-github-docker-docker-dev", "20.10.24+dfsg1-1+deb12u1", ["usr/share/gocode/src/github.com/docker/docker"], "development"),
  debian("go-containerd", "golang-github-containerd-containerd-dev", "1.6.20~ds1-1+deb12u3", ["usr/share/gocode/src/github.com/containerd/containerd"], "development"),
  debian("rust-hyper", "librust-hyper-dev", "0.14.19-1", ["usr/share/cargo/registry/hyper-0.14.19"], "development"),
  debian("rust-clap", "librust-clap-dev", "4.0.32-1", ["usr/share/cargo/registry/clap-4.0.32"], "development"),
  debian("python-django", "python3-django", "3:3.2.25-0+deb12u7", [`${python}/django/db`], "development"),
  debian("python-sqlalchemy", "python3-sqlalchemy", "1.4.46+ds1-1", [`${python}/sqlalchemy`], "development"),
  debian("cpp-asio", "libboost1.74-dev", "1.74.0+ds1-21", ["usr/include/boost/asio"], "development"),
  own("csharp-own", ["server/LlmAssist.Engine", "server/LlmAssist.Server", "tests/LlmAssist.Tests"], "development"),
  npmCorpus("@capacitor/android", "6.1.2", ["capacitor"], "development"),
  npmCorpus("cordova-android", "13.0.0", ["framework"], "development"),
  npmCorpus("webpack", "5.101.3", ["lib"], "development bench"),
  npmCorpus("rxjs", "7.8.2", ["src"], "development bench"),
  npmCorpus("three", "0.180.0", ["src"], "bench"),
  npmCorpus("svelte", "5.38.10", ["src"], "test bench"),
  npmCorpus("@reduxjs/toolkit", "2.2.7", ["src"], "test"),
  debian("go-grpc", "golang-google-grpc-dev", "1.33.3-2", ["usr/share/gocode/src/google.golang.org/grpc"], "test"),
  debian("rust-tokio", "librust-tokio-dev", "1.24.2-1", ["usr/share/cargo/registry/tokio-1.24.2"], "test"),
  debian("python-numpy", "python3-numpy", "1:1.24.2-1+deb12u1", ["core", "lib", "ma", "linalg"].map((part) => `${python}/numpy/${part}`), "test"),
  debian("cpp-eigen", "libeigen3-dev", "3.4.0-4", ["usr/include/eigen3/Eigen/src"], "test"),
  npmCorpus("leaflet", "1.9.4", ["src"], "proof"),
  npmCorpus("zod", "4.0.5", ["src"], "proof"),
  debian("go-etcd", "golang-etcd-server-dev", "3.4.23-4", ["usr/share/gocode/src/go.etcd.io/etcd"], "proof"),
  debian("rust-syn", "librust-syn-dev", "1.0.107-1", ["usr/share/cargo/registry/syn-1.0.107"], "proof"),
  debian("python-twisted", "python3-twisted", "22.4.0-4+deb12u1", ["internet", "web", "protocols", "conch"].map((part) => `${python}/twisted/${part}`), "proof"),
  { ...debian("java-text", "openjdk-17-source", "17.0.21.1+2-1~deb12u1", ["time", "text", "nio"].map((part) => `java.base/java/${part}`), "proof"), archive: "usr/lib/jvm/openjdk-17/lib/src.zip" },
  { ...debian("c-linux", "linux-source-6.1", "6.1.192-2", ["kernel", "lib"].map((part) => `linux-source-6.1/${part}`), "proof"), archive: "usr/src/linux-source-6.1.tar.xz" },
];

export const corporaFor = (use) => corpora.filter((corpus) => corpus.use.split(" ").includes(use));

export const described = (chosen) => chosen.map(({ name, npm: packed, debian: from, version }) => packed ?? from ? `${packed ?? from} ${version}` : name).join(", ");

/** What the priors were learned from, under which licences: for the people who get them. */
export function licences() {
  const rows = corporaFor("prior").map(({ name, npm: packed, debian: from, version, parts, prior, holder, licence }) =>
    `| ${prior} | ${packed ?? from} ${version}: ${parts.length < 4 ? parts.map((part) => path.basename(part)).join(", ").replace(/^\.$/, name) : `${parts.length} folders`} | ${licence} | ${holder} |`);
  return [
    "# What the priors were learned from",
    "",
    "The files in this folder hold how often short sequences of words and signs occur in these projects, the frequent ones only, and of",
    "their text single words and short literals. `npm run weights` makes them anew. The texts of the licences are in [licences](licences).",
    "",
    "| file | learned from | licence | copyright |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

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

async function fromDebian({ debian: name, version, archive, parts }, work) {
  await run("apt-get", ["download", `${name}=${version}`], { quiet: true, cwd: work });
  await run("dpkg-deb", ["-x", only(work, ".deb"), "package"], { quiet: true, cwd: work });
  const unpacked = path.join(work, "package");
  if (archive === undefined) {
    return unpacked;
  }
  const inner = path.join(work, "inner");
  mkdirSync(inner);
  await (archive.endsWith(".zip")
    ? run("python3", ["-m", "zipfile", "-e", path.join(unpacked, archive), inner], { quiet: true })
    : run("tar", ["-xf", path.join(unpacked, archive), "-C", inner, ...parts], { quiet: true }));
  return inner;
}

const only = (folder, ending) => readdirSync(folder).find((file) => file.endsWith(ending));
