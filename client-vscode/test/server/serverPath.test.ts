import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { findServer, judgeVersion, type VersionCheck, type VersionRun } from "../../src/server/serverPath";

suite("findServer", () => {
  const linux = { platform: "linux", home: "/home/ana", searchPath: "/usr/bin:/opt/llm/bin" } as const;
  const windows = { platform: "win32", home: "C:\\Users\\Ana", searchPath: "C:\\Windows;\"D:\\my tools\"" } as const;

  const cases: [string, { setting?: string; on?: typeof linux | typeof windows; path?: string; files: string[] }, string][] = [
    ["the setting comes first",
      { setting: "/srv/llm-assist", files: ["/srv/llm-assist", "/ext/server/llm-assist"] }, "setting /srv/llm-assist"],
    ["the setting may start at home",
      { setting: "~/bin/llm-assist", files: ["/home/ana/bin/llm-assist"] }, "setting /home/ana/bin/llm-assist"],
    ["spaces around the setting do not count",
      { setting: " /srv/llm-assist ", files: ["/srv/llm-assist"] }, "setting /srv/llm-assist"],
    ["a setting that names nothing is not passed over",
      { setting: "/srv/gone", files: ["/ext/server/llm-assist"] }, "settingMissing /srv/gone"],
    ["a relative setting is refused even if the file exists",
      { setting: "bin/llm-assist", files: ["bin/llm-assist"] }, "settingMissing bin/llm-assist"],
    ["another user's home is not ours",
      { setting: "~eve/llm-assist", files: ["/home/anaeve/llm-assist"] }, "settingMissing ~eve/llm-assist"],
    ["the bundled server comes before the PATH",
      { files: ["/ext/server/llm-assist", "/usr/bin/llm-assist"] }, "bundled /ext/server/llm-assist"],
    ["the first bundled folder comes first",
      { files: ["/artifacts/llm-assist", "/ext/server/llm-assist"] }, "bundled /ext/server/llm-assist"],
    ["the second bundled folder counts",
      { files: ["/artifacts/llm-assist"] }, "bundled /artifacts/llm-assist"],
    ["the PATH comes last",
      { files: ["/opt/llm/bin/llm-assist"] }, "path /opt/llm/bin/llm-assist"],
    ["an empty or relative entry of the PATH is the workspace and does not count",
      { path: ":.:bin", files: ["llm-assist", "./llm-assist", "bin/llm-assist"] }, "nowhere"],
    ["nothing anywhere",
      { files: [] }, "nowhere"],
    ["Windows: the executable has its extension, the PATH its quotes",
      { on: windows, files: ["D:\\my tools\\llm-assist.exe"] }, "path D:\\my tools\\llm-assist.exe"],
    ["Windows: a setting with a drive is absolute",
      { on: windows, setting: "C:\\llm\\llm-assist.exe", files: ["C:\\llm\\llm-assist.exe"] }, "setting C:\\llm\\llm-assist.exe"],
    ["Windows: a setting may start at home",
      { on: windows, setting: "~\\llm-assist.exe", files: ["C:\\Users\\Ana\\llm-assist.exe"] }, "setting C:\\Users\\Ana\\llm-assist.exe"],
  ];

  for (const [name, { setting = "", on = linux, path = on.searchPath, files }, expected] of cases) {
    test(name, () => {
      const machine = { ...on, searchPath: path, isFile: (file: string) => files.includes(file) };
      const found = findServer(setting, ["/ext/server", "/artifacts"], machine);
      const text = found.kind === "found" ? `${found.origin} ${found.file}`
        : found.kind === "settingMissing" ? `${found.kind} ${found.file}`
          : found.kind;
      assert.equal(text, expected);
    });
  }

  test("who finds nothing says where it looked", () => {
    const machine = { ...linux, isFile: () => false };
    assert.deepEqual(findServer("", ["/ext/server"], machine), { kind: "nowhere", looked: ["/ext/server/llm-assist"] });
  });
});

suite("judgeVersion", () => {
  // Recorded from a framework-dependent program of .NET 10 on Linux.
  const noRuntime = "You must install .NET to run this application.\n\nApp: /x/llm-assist\nArchitecture: x64\n";
  const oldRuntime = "You must install or update .NET to run this application.\n\nFramework: 'Microsoft.NETCore.App', version '10.0.0' (x64)\n";

  const cases: [string, Partial<VersionRun>, VersionCheck][] = [
    ["a version", { code: 0, output: "0.1.0\n" }, { kind: "works", version: "0.1.0" }],
    ["no runtime", { code: 131, errors: noRuntime }, { kind: "runtimeMissing" }],
    ["no runtime, without words", { code: 131 }, { kind: "runtimeMissing" }],
    ["an older runtime", { code: 150, errors: oldRuntime }, { kind: "runtimeMissing" }],
    ["no runtime, Windows", { code: 2147516547 }, { kind: "runtimeMissing" }],
    ["an older runtime, Windows", { code: 2147516566 }, { kind: "runtimeMissing" }],
    ["only the words", { code: 1, errors: oldRuntime }, { kind: "runtimeMissing" }],
    ["not executable", { code: "EACCES" }, { kind: "notExecutable" }],
    ["for another system", { code: "ENOEXEC" }, { kind: "notExecutable" }],
    ["for another system, Windows", { code: "UNKNOWN" }, { kind: "notExecutable" }],
    ["a crash", { code: 134, errors: "Unhandled exception.\n  at Main\n" }, { kind: "fails", detail: "at Main" }],
    ["silence", { code: 2 }, { kind: "fails", detail: "--version: 2" }],
    ["too slow", { code: "ETIMEDOUT" }, { kind: "fails", detail: "--version: ETIMEDOUT" }],
    ["killed", { code: null }, { kind: "fails", detail: "--version: ?" }],
  ];

  for (const [name, run, expected] of cases) {
    test(name, () => assert.deepEqual(judgeVersion({ code: null, output: "", errors: "", ...run }), expected));
  }
});
