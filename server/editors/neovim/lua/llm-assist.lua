-- LLM Assist in Neovim, from 0.7 on: starts the server for files, feeds the status line, adds the commands :LlmAssist….
-- How suggestions look is Neovim's business: ghost text from 0.12 on, before that the list of completions.
local M = {}

local name = 'llm-assist'
local statuses = {}  -- client's id -> the last llmAssist/status
local progresses = {} -- client's id -> the tokens of what can be canceled

-- As the server does for clients that do not tell their language.
local function is_spanish()
  for _, variable in ipairs({ 'LC_ALL', 'LC_MESSAGES', 'LANG' }) do
    local locale = os.getenv(variable) or ''
    if locale ~= '' then
      return locale:match('^es%f[%A]') ~= nil
    end
  end
  return false
end

local function say(english, spanish, ...)
  return string.format(is_spanish() and spanish or english, ...)
end

local function tell(message, level)
  vim.notify(message, level or vim.log.levels.INFO, { title = 'LLM Assist' })
end

local function show(lines)
  vim.api.nvim_echo({ { table.concat(lines, '\n') } }, true, {})
end

-- GB as everybody says, which are 2^30 bytes.
local function size(bytes)
  return bytes < 2 ^ 20 and string.format('%.0f KB', bytes / 2 ^ 10)
    or bytes < 2 ^ 30 and string.format('%.0f MB', bytes / 2 ^ 20)
    or string.format('%.1f GB', bytes / 2 ^ 30)
end

-- JSON's null, or nothing at all.
local function is(value)
  return value ~= nil and value ~= vim.NIL
end

-- The server of the current buffer, else any.
local function server()
  local found
  for _, client in ipairs((vim.lsp.get_clients or vim.lsp.get_active_clients)()) do
    if client.name == name then
      found = found or client
      if vim.lsp.buf_is_attached(0, client.id) then
        return client
      end
    end
  end
  return found
end

local function send(client, kind, ...)
  if vim.fn.has('nvim-0.11') == 1 then
    return client[kind](client, ...)
  end
  return client[kind](...)
end

-- Executes a command of the server. Its failures are told as it says them: they say what to do.
local function execute(command, argument, done)
  local client = server()
  if not client then
    tell(say('LLM Assist does not run; open a file first.', 'LLM Assist no está en marcha; abra antes un archivo.'), vim.log.levels.WARN)
    return
  end
  local params = { command = 'llmAssist.' .. command, arguments = argument and { argument } or {} }
  send(client, 'request', 'workspace/executeCommand', params, function(failure, result)
    if failure then
      tell(failure.message, vim.log.levels.ERROR)
    else
      done(result)
    end
  end)
end

local function tell_answer(answer)
  tell(answer.message)
end

--- What to put into the status line: what models take of what they may, or what is going on.
function M.status()
  local client = server()
  local status = client and statuses[client.id]
  if not status then
    return ''
  end
  if status.message ~= '' and (status.busy or status.state == 'degraded' or status.state == 'off') then
    return 'LLM Assist: ' .. status.message
  end
  return string.format('LLM Assist %s/%s', size(status.memory.modelsBytes), size(status.memory.limitBytes))
end

local function model_line(model)
  local state
  if model.loaded then
    state = say('in memory, %s', 'en memoria, %s', size(model.memoryKb * 1024))
  elseif model.fit == 'no' then
    state = say('does not fit: takes %s', 'no cabe: ocupa %s', size(model.predictedBytes))
  elseif model.fit == 'afterEvicting' then
    state = say('would take %s, after %s has left', 'ocuparía %s, tras salir %s', size(model.predictedBytes), table.concat(model.fitEvicts or {}, ', '))
  elseif is(model.predictedBytes) then
    state = say('would take %s', 'ocuparía %s', size(model.predictedBytes))
  else
    state = say('%s on disk', '%s en disco', size(model.sizeBytes))
  end
  return string.format('%s %s  (%s%s)', model.loaded and '●' or '○', (model.id:gsub('^%a+:', '')), state, model.pinned and say(', pinned', ', fijado') or '')
end

local function choose_action(model)
  local argument = { id = model.id }
  local actions = {
    model.loaded and { say('Unload', 'Descargar de la memoria'), 'models.unload' } or { say('Load', 'Cargar'), 'models.load' },
    model.pinned and { say('Let it leave when room is needed', 'Dejar que salga cuando falte sitio'), 'models.unpin' }
      or { say('Keep in memory', 'Mantener en memoria'), 'models.pin' },
  }
  vim.cmd('redraw') -- or Neovim's own list begins on the line of the one before
  vim.ui.select(actions, {
    prompt = model.id,
    format_item = function(action) return action[1] end,
  }, function(action)
    if action then
      execute(action[2], argument, tell_answer)
    end
  end)
end

--- Shows all models; the chosen one can be loaded, unloaded and pinned.
function M.models()
  execute('models.list', nil, function(models)
    if #models == 0 then
      tell(say('There are no models yet; :LlmAssistTrain makes one.', 'Todavía no hay modelos; :LlmAssistTrain crea uno.'))
      return
    end
    vim.ui.select(models, { prompt = say('Models', 'Modelos'), format_item = model_line }, function(model)
      if model then
        choose_action(model)
      end
    end)
  end)
end

--- Learns from the workspace, or from the folders that are named.
function M.train(folders)
  execute('models.train', folders and #folders ~= 0 and { folders = folders } or nil, tell_answer)
end

--- Has Ollama download a model.
function M.pull(model)
  execute('ollama.pull', { name = model }, tell_answer)
end

function M.unload_all()
  execute('models.unloadAll', nil, tell_answer)
end

--- Cancels what shows progress: training, loading, downloading.
function M.cancel()
  local client = server()
  local tokens = client and progresses[client.id] or {}
  for token in pairs(tokens) do
    send(client, 'notify', 'window/workDoneProgress/cancel', { token = token })
  end
  -- Neovim keeps the answer of what was canceled to itself.
  tell(next(tokens) and say('Canceled.', 'Cancelado.') or say('There is nothing to cancel.', 'No hay nada que cancelar.'))
end

--- Shows what models take, and what the server advises.
function M.memory()
  execute('memory.status', nil, function(memory)
    local lines = { say('Models take %s of %s.', 'Los modelos ocupan %s de %s.', size(memory.modelsBytes), size(memory.limitBytes)) }
    if is(memory.systemTotalBytes) then
      table.insert(lines, say('This machine has %s of %s left.', 'A este equipo le quedan %s de %s.', size(memory.systemAvailableBytes), size(memory.systemTotalBytes)))
    end
    for _, model in ipairs(memory.models) do
      local marks = (model.pinned and say(', pinned', ', fijado') or '') .. (model.busy and say(', in use', ', en uso') or '')
      table.insert(lines, string.format('  %s: %s%s', model.id, size(model.bytes), marks))
    end
    vim.list_extend(lines, memory.advice)
    show(lines)
  end)
end

--- Sets what models may take until Neovim ends: low, medium, high, veryHigh or a number of GB.
function M.limit(limit)
  execute('memory.setLimit', { limit = tonumber(limit) or limit }, tell_answer)
end

--- Shows what memory did in the last hours, with the reasons.
function M.history(hours)
  execute('memory.history', { hours = tonumber(hours) or 24 }, function(history)
    local lines = {}
    for _, event in ipairs(history.events) do
      table.insert(lines, string.format('%s  %-7s %s: %s', event.at, event.kind, event.id, event.reason))
    end
    show(#lines ~= 0 and lines or { say('Nothing has happened.', 'No ha ocurrido nada.') })
  end)
end

--- Shows what became of the last completion, and why.
function M.explain()
  execute('completion.explain', nil, function(last)
    if not is(last) then
      show({ say('No completion was asked for yet.', 'Todavía no se ha pedido ninguna sugerencia.') })
      return
    end
    local lines = { string.format('%s, %s, %.1f ms', last.surface, last.lane, last.elapsedMicroseconds / 1000) }
    if is(last.why) then
      table.insert(lines, last.why)
    end
    for _, item in ipairs(last.items) do
      table.insert(lines, string.format('  %3.0f %%  %s  (%s)', 100 * item.confidence, item.text, item.lane))
    end
    for _, filtered in ipairs(last.filtered) do
      table.insert(lines, say('  filtered (%s)  %s', '  filtrado (%s)  %s', filtered.filter, filtered.text))
    end
    if is(last.ollama) then
      local model = is(last.ollama.model) and last.ollama.model .. ': ' or ''
      table.insert(lines, string.format('Ollama: %s%s%s', model, last.ollama.outcome, is(last.ollama.why) and '. ' .. last.ollama.why or ''))
    end
    show(lines)
  end)
end

-- Puts a suggestion in place, with the cursor after it, and lets the server count it.
local function insert(client, buffer, item)
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  local space = vim.api.nvim_create_namespace(name)
  local mark = vim.api.nvim_buf_set_extmark(buffer, space, row - 1, column, {})
  vim.lsp.util.apply_text_edits({ { range = item.range, newText = item.insertText } }, buffer, client.offset_encoding)
  local place = vim.api.nvim_buf_get_extmark_by_id(buffer, space, mark, {})
  vim.api.nvim_buf_del_extmark(buffer, space, mark)
  vim.api.nvim_win_set_cursor(0, { place[1] + 1, place[2] })
  execute('completion.accepted', item.command.arguments[1], function() end)
end

--- Takes the suggestion that is shown; where Neovim shows none, before 0.12, the best there is.
function M.accept()
  if vim.lsp.inline_completion and vim.lsp.inline_completion.get() then
    return
  end
  local client = server()
  if not client then
    return
  end
  local buffer = vim.api.nvim_get_current_buf()
  local tick = vim.api.nvim_buf_get_changedtick(buffer)
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = 1 }
  send(client, 'request', 'textDocument/inlineCompletion', params, function(failure, result)
    -- Whoever has typed on does not want the answer any more.
    if failure or buffer ~= vim.api.nvim_get_current_buf() or tick ~= vim.api.nvim_buf_get_changedtick(buffer) then
      return
    end
    local item = is(result) and (result.items or result)[1]
    if item then
      insert(client, buffer, item)
    else
      tell(say('No suggestion here; :LlmAssistExplain says why.', 'No hay sugerencia aquí; :LlmAssistExplain dice por qué.'))
    end
  end, buffer)
end

-- The repository of a file, else the working directory if the file is in it. Never the whole home folder: all of it would be learned.
local function root_of(buffer)
  local file = vim.api.nvim_buf_get_name(buffer)
  local search = vim.fn.fnameescape(vim.fn.fnamemodify(file, ':p:h')) .. ';'
  local repository = vim.fn.finddir('.git', search)
  if repository ~= '' then
    return vim.fn.fnamemodify(repository, ':p:h:h')
  end
  local worktree = vim.fn.findfile('.git', search)
  if worktree ~= '' then
    return vim.fn.fnamemodify(worktree, ':p:h')
  end
  local directory = vim.fn.getcwd()
  if directory ~= vim.loop.os_homedir() and directory ~= '/' and vim.startswith(vim.fn.fnamemodify(file, ':p'), directory .. '/') then
    return directory
  end
end

local function is_file(buffer)
  return vim.bo[buffer].buftype == '' and vim.api.nvim_buf_get_name(buffer) ~= ''
end

-- The executable that 'npm run build' makes, else one on the PATH.
local function executable()
  local here = debug.getinfo(1, 'S').source:sub(2)
  local built = vim.fn.fnamemodify(here, ':p:h:h:h:h:h') .. '/artifacts/llm-assist/llm-assist' .. (vim.fn.has('win32') == 1 and '.exe' or '')
  return vim.fn.executable(built) == 1 and built or 'llm-assist'
end

local function configuration(options)
  return {
    name = name,
    cmd = options.cmd or { executable(), 'serve', '--stdio' },
    filetypes = options.filetypes,
    settings = { llmAssist = options.settings },
    init_options = options.settings, -- Neovim 0.7 does not answer for settings
    on_attach = function(_, buffer)
      if vim.lsp.inline_completion then
        vim.lsp.inline_completion.enable(true, { bufnr = buffer })
      elseif vim.bo[buffer].omnifunc == '' then
        vim.bo[buffer].omnifunc = 'v:lua.vim.lsp.omnifunc'
      end
    end,
    on_exit = function(_, _, id)
      statuses[id] = nil
      progresses[id] = nil
    end,
    handlers = {
      ['llmAssist/status'] = function(_, status, context)
        statuses[context.client_id] = status
        vim.schedule(function()
          vim.cmd('redrawstatus')
          vim.cmd('silent! doautocmd <nomodeline> User LlmAssistStatus')
        end)
      end,
      ['$/progress'] = function(failure, progress, context, ...)
        local tokens = progresses[context.client_id] or {}
        progresses[context.client_id] = tokens
        tokens[progress.token] = progress.value.kind ~= 'end' or nil
        return vim.lsp.handlers['$/progress'](failure, progress, context, ...)
      end,
      -- Neovim would ask at once, and take what is being typed for the answer.
      ['window/showMessageRequest'] = function(_, question)
        tell(say('%s :LlmAssistModels does it.', '%s Se hace con :LlmAssistModels.', question.message))
        return vim.NIL
      end,
    },
  }
end

-- Neovim 0.7 has no vim.lsp.start: one server a root.
local servers = {}
local function attach(buffer, config)
  if vim.lsp.start then
    vim.lsp.start(config, { bufnr = buffer })
    return
  end
  local id = servers[config.root_dir or '']
  if not (id and vim.lsp.get_client_by_id(id)) then
    id = vim.lsp.start_client(config)
    servers[config.root_dir or ''] = id
  end
  vim.lsp.buf_attach_client(buffer, id)
end

local function start(buffer, options)
  if is_file(buffer) and (not options.filetypes or vim.tbl_contains(options.filetypes, vim.bo[buffer].filetype)) then
    local config = configuration(options)
    config.root_dir = (options.root_dir or root_of)(buffer)
    attach(buffer, config)
  end
end

local function add_commands()
  local function add(command, run, more)
    vim.api.nvim_create_user_command('LlmAssist' .. command, run, more or {})
  end
  add('Train', function(call) M.train(call.fargs) end, { nargs = '*', complete = 'dir' })
  add('Cancel', M.cancel)
  add('Models', M.models)
  add('UnloadAll', M.unload_all)
  add('Pull', function(call) M.pull(call.args) end, { nargs = 1 })
  add('Memory', M.memory)
  add('Limit', function(call) M.limit(call.args) end, { nargs = 1, complete = function() return { 'low', 'medium', 'high', 'veryHigh' } end })
  add('History', function(call) M.history(call.args) end, { nargs = '?' })
  add('Explain', M.explain)
end

--- Starts the server for files that are open and for those that will be.
--- options: cmd, settings (without 'llmAssist'), filetypes (none: all), root_dir (a function of the buffer),
--- accept (the key that takes a suggestion, <C-l>; false for none).
function M.setup(options)
  options = options or {}
  add_commands()
  if options.accept ~= false then
    vim.keymap.set('i', options.accept or '<C-l>', M.accept, { desc = 'LLM Assist: take the suggestion' })
  end
  if vim.lsp.enable then
    local config = configuration(options)
    config.root_dir = function(buffer, use)
      if is_file(buffer) then
        use((options.root_dir or root_of)(buffer))
      end
    end
    vim.lsp.config(name, config)
    vim.lsp.enable(name)
    return
  end
  vim.api.nvim_create_autocmd('FileType', {
    group = vim.api.nvim_create_augroup('LlmAssist', {}),
    callback = function(event) start(event.buf, options) end,
  })
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buffer) and vim.bo[buffer].filetype ~= '' then
      start(buffer, options)
    end
  end
end

return M
