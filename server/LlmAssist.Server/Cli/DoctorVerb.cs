// 'doctor': what works, what does not, what to do. Each check is a method that answers one finding.
using System.CommandLine;
using System.Runtime.InteropServices;
using LlmAssist.Engine;
using LlmAssist.Engine.Memory;
using LlmAssist.Engine.Models;
using LlmAssist.Engine.Ollama;
using LlmAssist.Engine.Patterns;

namespace LlmAssist.Server.Cli;

/// <summary>Examines the installation.</summary>
internal static class DoctorVerb
{
    private static readonly ByteSize LittleDisk = ByteSize.GiB(1); // a large model and its training's scratch files
    private static readonly ByteSize NoDisk = ByteSize.MiB(64); // not even a small model
    private static readonly ByteSize LittleMemory = ByteSize.GiB(1);

    /// <summary>The verb.</summary>
    public static Command Command(VerbContext context)
    {
        var command = new Command("doctor", context.Text(new("Check what works here, and say what to do about the rest", "Comprobar qué funciona aquí y decir qué hacer con lo demás")));
        var ollama = new OllamaFlags(context).AddAddressTo(command);
        command.SetAction((parsed, cancellation) => RunAsync(context, () => ollama.Prepare(parsed, patterns: null), ollama.AreGiven(parsed.CommandResult), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(VerbContext context, Func<OllamaVisit> prepare, bool isOllamaNamed, CancellationToken cancellation)
    {
        List<Finding> findings = [Runtime(), Languages(), Folder(context)];
        if (findings[^1].State != State.Fail)
        {
            // The store creates its folder, which the check before has shown to be possible.
            var store = context.OpenStore();
            findings.AddRange([Models(store), SetAside(store), Leftovers(store)]);
        }

        using var visit = prepare();
        var ollama = await OllamaAsync(context, visit, isOllamaNamed, cancellation);
        var reading = context.Probe.Read();
        findings.AddRange([Memory(reading, visit.Keeper), Limit(reading, visit.Keeper), Insight(reading), Sharing(context), ollama, Git(context), Editors(context)]);
        var isSound = findings.TrueForAll(finding => finding.State != State.Fail);
        if (context.Terminal.IsJson)
        {
            context.Terminal.Json(
                new DoctorAnswer(isSound, [.. findings.Select(finding => new DoctorRow(
                    context.Text(finding.Check),
                    finding.State.ToString().ToLowerInvariant(),
                    context.Text(finding.Found),
                    finding.Advice is { } advice ? context.Text(advice) : null))]),
                CliJson.Default.DoctorAnswer);
            return isSound ? ExitCode.Success : ExitCode.Failure;
        }

        context.Terminal.Table(
            [new(new("check", "comprobación")), new(new("", "")), new(new("found", "encontrado"))],
            findings.Select(finding => (string[])
            [
                context.Text(finding.Check),
                context.Text(finding.State switch
                {
                    State.Ok => new("ok", "bien"),
                    State.Warn => new("warn", "aviso"),
                    _ => new("fail", "fallo"),
                }),
                context.Text(finding.Found),
            ]));
        foreach (var finding in findings)
        {
            if (finding.Advice is { } advice)
            {
                context.Terminal.Say(new($"{finding.Check.English}: {advice.English}", $"{finding.Check.Spanish}: {advice.Spanish}"));
            }
        }

        return isSound ? ExitCode.Success : ExitCode.Failure;
    }

    private static Finding Runtime()
    {
        var found = Phrase.Same($"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}, llm-assist {typeof(DoctorVerb).Assembly.GetName().Version?.ToString(3)}");
        Phrase check = new("runtime", "entorno");
        return BitConverter.IsLittleEndian
            ? new(check, State.Ok, found)
            : new(check, State.Fail, found, new("Models are little-endian files and this machine is not; it cannot use them.", "Los modelos son archivos «little-endian» y esta máquina no lo es; no puede usarlos."));
    }

    private static Finding Folder(VerbContext context)
    {
        Phrase check = new("model folder", "carpeta de modelos");
        var folder = context.Folders.Models;
        try
        {
            var store = context.OpenStore();
            var probe = Path.Combine(store.Folder, $".doctor-{Environment.ProcessId}");
            File.WriteAllText(probe, "");
            File.Delete(probe);
            var free = new ByteSize(new DriveInfo(store.Folder).AvailableFreeSpace);
            var found = new Phrase($"{folder}, {free} free", $"{folder}, {free} libres");
            var state = free < NoDisk ? State.Fail : free < LittleDisk ? State.Warn : State.Ok;
            return new(check, state, found, state == State.Ok ? null : new(
                $"There is little room for models. Free some, delete old models ('llm-assist models prune --keep 1'), or set {DataFolders.HomeVariable} to a folder on another disk.",
                $"Queda poco sitio para modelos. Libere espacio, borre modelos antiguos («llm-assist models prune --keep 1») o asigne a {DataFolders.HomeVariable} una carpeta de otro disco."));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new(check, State.Fail, Phrase.Same($"{folder}: {exception.Message}"), new(
                $"Models cannot be saved. Make the folder writable, or set {DataFolders.HomeVariable} to one that is.",
                $"No se pueden guardar modelos. Dé permiso de escritura a la carpeta o asigne a {DataFolders.HomeVariable} otra que lo tenga."));
        }
    }

    private static Finding Languages()
    {
        Phrase check = new("languages", "lenguajes");
        var missing = LanguagePriors.Names.Where(static name => !LanguagePriors.IsThere(name)).ToList();
        return missing.Count == 0
            ? new(check, State.Ok, Phrase.Same(string.Join(", ", LanguagePriors.Names)))
            : new(
                check,
                State.Warn,
                new($"cannot be read: {string.Join(", ", missing)}", $"no se pueden leer: {string.Join(", ", missing)}"),
                new(
                    $"Suggestions know less of these languages until your own code is learned. Install LLM Assist again: the files belong in {Path.GetDirectoryName(LanguagePriors.PathOf(missing[0]))}.",
                    $"Las sugerencias saben menos de estos lenguajes hasta aprender su código. Instale LLM Assist de nuevo: los archivos van en {Path.GetDirectoryName(LanguagePriors.PathOf(missing[0]))}."));
    }

    private static Finding Models(PatternStore store)
    {
        Phrase check = new("models", "modelos");
        var stored = store.List();
        var damaged = new List<string>();
        foreach (var model in stored)
        {
            try
            {
                using var opened = PatternModel.Open(model.Path);
                _ = opened.Statistics;
                _ = opened.Provenance;
            }
            catch (Exception exception) when (exception is PatternFileException or IOException or UnauthorizedAccessException)
            {
                damaged.Add(model.Id.Name);
            }
        }

        if (stored.Count == 0)
        {
            return new(check, State.Warn, new("none yet", "ninguno todavía"), new("Train one: llm-assist train FOLDER", "Entrene uno: llm-assist train CARPETA"));
        }

        var size = new ByteSize(stored.Sum(model => model.Bytes));
        if (damaged.Count == 0)
        {
            return new(check, State.Ok, new($"{stored.Count}, {size}; all open", $"{stored.Count}, {size}; todos se abren"));
        }

        var names = string.Join(", ", damaged);
        return new(check, State.Warn, new($"{damaged.Count} of {stored.Count} do not open: {names}", $"{damaged.Count} de {stored.Count} no se abren: {names}"), new(
            "They are set aside when something tries to use them; 'llm-assist models verify NAME' says what is wrong, 'llm-assist train' makes a new one.",
            "Se apartan cuando algo intenta usarlos; «llm-assist models verify NOMBRE» dice qué les pasa y «llm-assist train» crea uno nuevo."));
    }

    private static Finding SetAside(PatternStore store)
    {
        Phrase check = new("set aside", "apartados");
        var files = store.Quarantined();
        if (files.Count == 0)
        {
            return new(check, State.Ok, new("none", "ninguno"));
        }

        var folder = Path.GetDirectoryName(files[0])!;
        return new(check, State.Warn, new($"{files.Count} damaged files in {folder}", $"{files.Count} archivos dañados en {folder}"), new(
            "They are not used. Delete them when you do not want to examine them.",
            "No se usan. Bórrelos cuando no quiera examinarlos."));
    }

    private static Finding Leftovers(PatternStore store)
    {
        var removed = store.Sweep();
        return new(new("leftovers", "restos"), State.Ok, removed == 0
            ? new("none", "ninguno")
            : new($"removed {removed} files of trainings that were killed", $"se eliminaron {removed} archivos de entrenamientos interrumpidos"));
    }

    private static Finding Memory(MemoryReading reading, MemoryKeeper keeper)
    {
        Phrase check = new("memory", "memoria");
        var residents = keeper.Residents();
        var models = residents.Count == 0
            ? new Phrase("no model in memory", "ningún modelo en memoria")
            : new(
                $"in memory: {string.Join(", ", residents.Select(static resident => $"{resident.Id.Name} ({resident.Bytes})"))}",
                $"en memoria: {string.Join(", ", residents.Select(static resident => $"{resident.Id.Name} ({resident.Bytes})"))}");
        if (reading.System is not { } system)
        {
            return new(check, State.Warn, new($"unknown; {models.English}", $"desconocida; {models.Spanish}"), reading.Missing.Count == 0 ? null : reading.Missing[0]);
        }

        var found = new Phrase(
            $"{system.Available} of {system.Total} available{(system.LimitedByGroup ? " (a control group's limit)" : "")}; {models.English}",
            $"{system.Available} de {system.Total} disponibles{(system.LimitedByGroup ? " (límite de un grupo de control)" : "")}; {models.Spanish}");
        return system.Available < LittleMemory
            ? new(check, State.Warn, found, new(
                "Close programs that you do not need; training takes up to half a GB.",
                "Cierre los programas que no necesite; entrenar ocupa hasta medio GB."))
            : new(check, State.Ok, found);
    }

    private static Finding Limit(MemoryReading reading, MemoryKeeper keeper)
    {
        Phrase check = new("memory limit", "límite de memoria");
        var limit = keeper.Options.Limit;
        var preset = MemoryBudget.Presets.FirstOrDefault(preset => preset.Limit == limit).Name;
        var shown = preset is null ? limit.ToString() : $"{limit} ({preset})";
        if (!keeper.Options.IsEnabled)
        {
            return new(
                check,
                State.Warn,
                new("off: nothing is refused and nothing is taken out", "desactivado: no se rechaza ni se saca nada"),
                new("Set memory.enabled to true in config.json to have models kept within a limit.", "Ponga memory.enabled en true en config.json para que los modelos respeten un límite."));
        }

        if (reading.System is not { Total: var total })
        {
            return new(check, State.Ok, Phrase.Same(shown));
        }

        var suits = MemoryBudget.PresetFor(total);
        var advice = MemoryAdvice.OfLimit(limit, total);
        var found = new Phrase($"{shown}; for {total} {suits} is recommended", $"{shown}; para {total} se recomienda {suits}");
        return new(check, advice is null ? State.Ok : State.Warn, found, advice is { } unsuited
            ? new($"{unsuited.English} Set memory.limit in config.json, or llmAssist.memory.limit in the editor.", $"{unsuited.Spanish} Cambie memory.limit en config.json o llmAssist.memory.limit en el editor.")
            : null);
    }

    // What sharpens the governor's sight, and is done without where it is missing.
    private static Finding Insight(MemoryReading reading)
    {
        Phrase check = new("memory figures", "datos de memoria");
        var (pressure, runners) = (reading.Pressure is not null, RunnerProcesses.CanSeeOthers());
        var found = new Phrase(
            $"memory pressure (PSI): {(pressure ? "read" : "not told")}; processes of Ollama's models: {(runners ? "visible" : "not visible")}",
            $"presión de memoria (PSI): {(pressure ? "se lee" : "no se indica")}; procesos de los modelos de Ollama: {(runners ? "visibles" : "no visibles")}");
        return new(check, State.Ok, found, runners || !OperatingSystem.IsLinux() ? null : new(
            "This system hides the processes of other users (hidepid of /proc): what models take goes by Ollama's own figures.",
            "Este sistema oculta los procesos de otros usuarios (hidepid de /proc): lo que ocupan los modelos se toma de las cifras de Ollama."));
    }

    private static Finding Sharing(VerbContext context)
    {
        Phrase check = new("shared state", "estado compartido");
        var folder = context.Folders.Shared;
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(folder);
            }
            else
            {
                // As windows create it: what is in there is nobody else's business.
                Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            var probe = Path.Combine(folder, $".doctor-{Environment.ProcessId}");
            File.WriteAllText(probe, "");
            File.Delete(probe);
            return new(check, State.Ok, Phrase.Same(folder));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new(check, State.Warn, Phrase.Same($"{folder}: {exception.Message}"), new(
                "Each window then governs memory alone, pins are forgotten and there is no history. Make the folder writable.",
                "Cada ventana gobierna entonces la memoria por su cuenta, se olvidan los modelos fijados y no hay historial. Dé permiso de escritura a la carpeta."));
        }
    }

    // Whoever has not asked for Ollama does not miss it: it is a warning only where somebody said that it should be there.
    private static async Task<Finding> OllamaAsync(VerbContext context, OllamaVisit visit, bool isNamed, CancellationToken cancellation)
    {
        Phrase check = Phrase.Same("ollama");
        var surroundings = Surroundings.Of(context.Variable);
        if (visit.Options.Endpoint is not { } endpoint)
        {
            return new(check, State.Ok, new("switched off (ollama.enabled in config.json)", "desactivado (ollama.enabled en config.json)"));
        }

        var notes = new List<Phrase>();
        if (OllamaHints.BadVariable(surroundings) is { } bad)
        {
            notes.Add(bad);
        }

        var (version, whyNot, _) = await visit.KnockAsync(cancellation);
        if (version is null)
        {
            if (!isNamed && visit.Options.Model.Length == 0 && endpoint == OllamaEndpoint.Default && notes.Count == 0)
            {
                return new(
                    check,
                    State.Ok,
                    new($"not running at {endpoint}, and not needed: pattern models complete without it", $"no está en marcha en {endpoint}, ni hace falta: los modelos de patrones completan sin él"),
                    new(
                        "Only for those who want larger models too: install it from ollama.com, or start it with 'ollama serve'. If it runs elsewhere, 'llm-assist doctor --ollama URL' helps to reach it.",
                        "Solo para quien quiera además modelos más grandes: instálelo desde ollama.com o inícielo con «ollama serve». Si se ejecuta en otro lugar, «llm-assist doctor --ollama URL» ayuda a alcanzarlo."));
            }

            notes.AddRange(OllamaHints.WhenUnreachable(surroundings, endpoint));
            return new(check, State.Warn, whyNot!.Value, Joined(notes));
        }

        var remote = OllamaHints.Remote(endpoint);
        var at = new Phrase($"{version} at {endpoint}{(remote is null ? "" : $" ({remote.Value.English})")}", $"{version} en {endpoint}{(remote is null ? "" : $" ({remote.Value.Spanish})")}");
        IReadOnlyList<OllamaModel> models;
        try
        {
            models = await visit.Host.ListAsync(cancellation);
        }
        catch (OllamaException exception)
        {
            return new(check, State.Warn, at, Joined([.. notes, exception.Phrase]));
        }

        var able = models.Where(model => model.FillsMiddle).Select(model => model.Installed.Name).ToList();
        var running = models.Where(model => model.Running is not null).Select(model => $"{model.Installed.Name} ({new ByteSize(model.Running!.SizeBytes)})").ToList();
        if (able.Count == 0)
        {
            notes.Add(new(
                "None of its models fills in the middle of code. 'llm-assist models pull qwen2.5-coder:1.5b' gets a small one that does.",
                "Ninguno de sus modelos rellena huecos en el código. «llm-assist models pull qwen2.5-coder:1.5b» descarga uno pequeño que sí."));
        }

        notes.AddRange(OllamaAdvice.For(visit.Host));
        return new(
            check,
            notes.Count == 0 ? State.Ok : State.Warn,
            new(
                $"{at.English}, {models.Count} {(models.Count == 1 ? "model" : "models")}; fill in the middle: {Names(able, "none")}; in memory: {Names(running, "none")}",
                $"{at.Spanish}, {models.Count} {(models.Count == 1 ? "modelo" : "modelos")}; rellenan huecos: {Names(able, "ninguno")}; en memoria: {Names(running, "ninguno")}"),
            Joined(notes));

        static string Names(List<string> names, string none) => names.Count == 0 ? none : string.Join(", ", names);

        static Phrase? Joined(IReadOnlyList<Phrase> notes) => notes.Count == 0
            ? null
            : new(string.Join(' ', notes.Select(note => note.English)), string.Join(' ', notes.Select(note => note.Spanish)));
    }

    private static Finding Git(VerbContext context) => OnPath(context, "git") is { } path
        ? new(Phrase.Same("git"), State.Ok, Phrase.Same(path))
        : new(Phrase.Same("git"), State.Warn, new("not on the PATH", "no está en el PATH"), new(
            "Ignore files are read without it, a little less exactly. Install git if your code is in repositories.",
            "Los archivos de exclusión se leen sin él, con algo menos de exactitud. Instale git si su código está en repositorios."));

    private static Finding Editors(VerbContext context)
    {
        Phrase check = new("editors", "editores");
        var hints = new List<Phrase>();
        Look("code", new("VS Code: 'npm run package' makes the extension; 'code --install-extension' installs it.", "VS Code: «npm run package» crea la extensión; «code --install-extension» la instala."));
        Look("nvim", new(
            "Neovim: vim.lsp.config('llm_assist', { cmd = { 'llm-assist', 'serve', '--stdio' } }); vim.lsp.enable('llm_assist').",
            "Neovim: vim.lsp.config('llm_assist', { cmd = { 'llm-assist', 'serve', '--stdio' } }); vim.lsp.enable('llm_assist')."));
        Look("emacs", new(
            "Emacs: (add-to-list 'eglot-server-programs '(prog-mode . (\"llm-assist\" \"serve\" \"--stdio\"))), then M-x eglot.",
            "Emacs: (add-to-list 'eglot-server-programs '(prog-mode . (\"llm-assist\" \"serve\" \"--stdio\"))), y luego M-x eglot."));
        return hints.Count == 0
            ? new(check, State.Warn, new("none of code, nvim, emacs is on the PATH", "ni code, ni nvim, ni emacs están en el PATH"), new(
                "Any editor with a language client can run 'llm-assist serve --stdio'.",
                "Cualquier editor con cliente de lenguaje puede ejecutar «llm-assist serve --stdio»."))
            : new(
                check,
                State.Ok,
                Phrase.Same(string.Join(", ", hints.Select(hint => hint.English[..hint.English.IndexOf(':')]))),
                new(string.Join(' ', hints.Select(hint => hint.English)), string.Join(' ', hints.Select(hint => hint.Spanish))));

        void Look(string program, Phrase hint)
        {
            if (OnPath(context, program) is not null)
            {
                hints.Add(hint);
            }
        }
    }

    private static string? OnPath(VerbContext context, string program)
    {
        string[] endings = OperatingSystem.IsWindows() ? [".exe", ".cmd", ".bat"] : [""];
        return (context.Variable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(folder => endings.Select(ending => Path.Combine(folder, program + ending)))
            .FirstOrDefault(File.Exists);
    }

    private enum State
    {
        Ok,
        Warn,
        Fail,
    }

    private sealed record Finding(Phrase Check, State State, Phrase Found, Phrase? Advice = null);
}
