// id -> command. The ids are those of AssistMethods, the page docs/protocol-extensions.md and the client.
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LlmAssist.Engine;
using LlmAssist.Server.Lsp;
using LlmAssist.Server.Session;

namespace LlmAssist.Server.Commands;

/// <summary>The commands of workspace/executeCommand.</summary>
internal sealed class CommandTable
{
    private readonly Dictionary<string, Entry> _commands = [];

    /// <summary>Their ids, in the order of adding.</summary>
    public IReadOnlyList<string> Ids => [.. _commands.Keys];

    /// <summary>What a command takes and what it answers.</summary>
    public (JsonTypeInfo Argument, JsonTypeInfo Answer) TypesOf(string id) => (_commands[id].Argument(AssistJson.Default), _commands[id].Answer(AssistJson.Default));

    /// <summary>Adds a command. Its types are built when it is first used, as those of <see cref="Routes"/> are.</summary>
    public CommandTable Add<TArgument, TResult>(
        string id,
        Func<AssistJson, JsonTypeInfo<TArgument>> type,
        Func<AssistJson, JsonTypeInfo<TResult>> resultType,
        ReadHandler<TArgument, TResult> command)
    {
        _commands.Add(id, new(type, resultType, async (session, argument, cancellation) =>
            JsonSerializer.SerializeToElement(await command(session, Read(id, argument, type(AssistJson.Default)), cancellation), resultType(AssistJson.Default))));
        return this;
    }

    /// <summary>Executes a command.</summary>
    /// <exception cref="UserException">There is no such command, its argument cannot be read, or it failed.</exception>
    public ValueTask<JsonElement> ExecuteAsync(SessionSnapshot session, ExecuteCommandParams parameters, CancellationToken cancellation)
    {
        if (!_commands.TryGetValue(parameters.Command, out var command))
        {
            throw new UserException(new(
                $"'{parameters.Command}' is not a command of this server. There are: {string.Join(", ", Ids)}.",
                $"«{parameters.Command}» no es un comando de este servidor. Existen: {string.Join(", ", Ids)}."));
        }

        return command.Execute(session, parameters.Arguments is [var argument, ..] ? argument : default, cancellation);
    }

    /// <summary>The same, and what the user should know of its answer is shown as a message.</summary>
    /// <exception cref="UserException">As above.</exception>
    public async ValueTask<JsonElement> ExecuteAndShowAsync(SessionSnapshot session, ExecuteCommandParams parameters, ClientLink client, CancellationToken cancellation)
    {
        try
        {
            var answer = await ExecuteAsync(session, parameters, cancellation);
            if (answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty("message"u8, out var message))
            {
                client.Show(MessageType.Info, Phrase.Same(message.GetString()!), session.Speech);
            }

            return answer;
        }
        catch (UserException exception)
        {
            client.Show(MessageType.Error, exception.Phrase, session.Speech);
            throw;
        }
    }

    private static T Read<T>(string id, JsonElement argument, JsonTypeInfo<T> type)
    {
        try
        {
            return argument.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null
                ? JsonSerializer.Deserialize("{}", type)!
                : argument.Deserialize(type) ?? throw new JsonException("null");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new UserException(new(
                $"The argument of {id} cannot be read: {exception.Message} Expected is one object, see docs/protocol-extensions.md.",
                $"No se puede leer el argumento de {id}: {exception.Message} Se espera un objeto; véase docs/protocol-extensions.md."));
        }
    }

    private sealed record Entry(
        Func<AssistJson, JsonTypeInfo> Argument,
        Func<AssistJson, JsonTypeInfo> Answer,
        Func<SessionSnapshot, JsonElement, CancellationToken, ValueTask<JsonElement>> Execute);
}
