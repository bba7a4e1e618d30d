// What a client asked and what became of it, for tests to look at.
using System.Text.Json.Nodes;

namespace LlmAssist.FakeOllama;

/// <summary>How serving a request ended.</summary>
public enum Outcome
{
    /// <summary>With the reply that was meant, faults included.</summary>
    Answered,

    /// <summary>The client closed the connection before that.</summary>
    ClientLeft,
}

/// <summary>One request. Moments are timestamps of the server's clock.</summary>
public sealed class Asked
{
    private readonly HttpRequest _request;
    private readonly HttpConnection _connection;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource<Outcome> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiting = []; // guarded by _gate
    private int _frames; // guarded by _gate
    private bool _isOver; // guarded by _gate
    private long? _firstFrameAt; // guarded by _gate
    private long? _endedAt; // guarded by _gate

    internal Asked(HttpRequest request, HttpConnection connection, TimeProvider time)
    {
        _request = request;
        _connection = connection;
        _time = time;
        ReceivedAt = time.GetTimestamp();
        Body = Parse(request.Body);
        IsGeneration = TextHandler.IsGeneration(request.Path, Body);
    }

    public string Method => _request.Method;

    public string Path => _request.Path;

    public IReadOnlyDictionary<string, string> Headers => _request.Headers;

    /// <summary>The body; null when there is none or it is no JSON object.</summary>
    public JsonObject? Body { get; }

    /// <summary>Whether it has text generated, rather than loading a model or asking for something else.</summary>
    public bool IsGeneration { get; }

    /// <summary>When it had come.</summary>
    public long ReceivedAt { get; }

    /// <summary>When the first frame of the reply had been sent; null until then.</summary>
    public long? FirstFrameAt
    {
        get
        {
            lock (_gate)
            {
                return _firstFrameAt;
            }
        }
    }

    /// <summary>When it had been served, or its client was found to have left; null until then.</summary>
    public long? EndedAt
    {
        get
        {
            lock (_gate)
            {
                return _endedAt;
            }
        }
    }

    /// <summary>Frames of the reply that were sent; a reply that is no stream is one frame.</summary>
    public int Frames
    {
        get
        {
            lock (_gate)
            {
                return _frames;
            }
        }
    }

    /// <summary>Ends when the request has been served, or its client has left.</summary>
    public Task<Outcome> Ended => _ended.Task;

    /// <summary>Ends when so many frames have been sent.</summary>
    public Task FramesAsync(int count)
    {
        lock (_gate)
        {
            if (count <= _frames)
            {
                return Task.CompletedTask;
            }

            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((count, reached));
            return reached.Task;
        }
    }

    /// <summary>Whether it is a generation that a client still waits for. Asks the socket too, because a client that leaves one
    /// connection may send on another before the first one's end has been read.</summary>
    internal bool IsRunning
    {
        get
        {
            lock (_gate)
            {
                return IsGeneration && !_isOver && !_connection.IsClosedByClient;
            }
        }
    }

    /// <summary>Says that what is sent next ends the reply for a client that reads no further than it must.</summary>
    internal void Conclude()
    {
        lock (_gate)
        {
            _isOver = true;
        }
    }

    internal void FrameSent()
    {
        lock (_gate)
        {
            _frames++;
            _firstFrameAt ??= _time.GetTimestamp();
            foreach (var (count, reached) in _waiting)
            {
                if (count <= _frames)
                {
                    reached.TrySetResult();
                }
            }
        }
    }

    internal void End(Outcome outcome)
    {
        lock (_gate)
        {
            _endedAt ??= _time.GetTimestamp();
            _isOver = true;
        }

        _ended.TrySetResult(outcome);
    }

    private static JsonObject? Parse(byte[] body)
    {
        try
        {
            return JsonNode.Parse(body) as JsonObject;
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }
}
