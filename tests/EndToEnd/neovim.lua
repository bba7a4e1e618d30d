-- A session in Neovim with nothing but its own client and the file that we ship: attach, type, complete, execute every command, leave.
local function say(...) io.stdout:write(table.concat(vim.tbl_map(tostring, { ... }), ' ') .. '\n') end
local function wait(what, condition)
  if not vim.wait(60000, condition, 20) then error('never came: ' .. what, 2) end
end

-- What the user is told and shown, and what they choose of what they are asked.
local told, echoed, choices = {}, {}, { made = {} }
vim.notify = function(message) table.insert(told, message) end
local echo = vim.api.nvim_echo
vim.api.nvim_echo = function(chunks, ...)
  table.insert(echoed, chunks[1][1])
  return echo(chunks, ...)
end
vim.ui.select = function(items, options, chosen)
  local shown = vim.tbl_map(options.format_item, items)
  for index, text in ipairs(shown) do
    if text:find(choices.wanted[1], 1, true) then
      table.remove(choices.wanted, 1)
      table.insert(choices.made, text)
      return chosen(items[index], index)
    end
  end
  error('no choice ' .. choices.wanted[1] .. ' among ' .. table.concat(shown, ' | '))
end

-- Runs a command and answers what it makes the user read.
local function run(command, list)
  local before = #list
  vim.cmd(command)
  wait('an answer to ' .. command, function() return before < #list end)
  return (list[#list]:gsub('\n', ' / '))
end

local function main()
  vim.o.swapfile = false
  vim.opt.runtimepath:append(vim.env.E2E_EDITOR)
  local assist = require('llm-assist')
  say('absent', assist.status() == '')
  assist.setup({ settings = { memory = { limit = 'low' } } })
  vim.cmd('edit ' .. vim.fn.fnameescape(vim.env.E2E_FILE))
  local buffer = vim.api.nvim_get_current_buf()
  vim.bo[buffer].filetype = 'typescript'
  local client
  wait('initialize', function()
    client = vim.tbl_filter(function(one) return one.name == 'llm-assist' end, vim.lsp.buf_get_clients(buffer))[1]
    return client and client.initialized
  end)
  say('root', client.config.root_dir)
  say('completion', client.server_capabilities.completionProvider ~= nil)
  wait('a model in use', function() return assist.status():find('^LLM Assist [1-9]%d* [KM]B/2%.0 GB$') end)
  say('status', assist.status())
  local function request(method, params)
    local response, failure = client.request_sync(method, params, 20000, buffer)
    if failure or not response or response.err then error(method .. ' ' .. vim.inspect(failure or (response and response.err)), 2) end
    return response.result
  end

  -- Typed by an edit of the buffer, which reaches the server as didChange.
  local line = '  const inventory = parseI'
  local function type_line()
    vim.api.nvim_buf_set_lines(buffer, 0, -1, false, { 'async function f(content: string) {', line, '}' })
    vim.cmd('normal! 2G$')
  end
  type_line()
  local position = { textDocument = { uri = vim.uri_from_bufnr(buffer) }, position = { line = 1, character = #line } }
  local list = request('textDocument/completion', position)
  say('labels', table.concat(vim.tbl_map(function(item) return item.label end, list.items), ','))

  -- Neovim 0.7 has no ghost text; the server therefore puts the best line into the list.
  say('first', list.items[1].textEdit.newText)

  -- By the keys that a user presses: Neovim's own completion, and ours that takes the best line.
  local function press(keys)
    vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(keys, true, false, true), 'xt!', true)
  end
  say('omnifunc', vim.bo[buffer].omnifunc)
  local accepted = function() return vim.api.nvim_buf_get_lines(buffer, 1, 2, false)[1] end
  _G.finish = function(condition)
    local ok = vim.wait(20000, condition, 20)
    if not ok then say('late', accepted()) end
  end
  _G.popup = function() return vim.fn.pumvisible() == 1 end
  _G.grown = function() return accepted() ~= line end
  press('A<C-x><C-o><Cmd>lua finish(popup)<CR><C-y><Esc>')
  say('omni', accepted())
  type_line()
  press('A<C-l><Cmd>lua finish(grown)<CR>X<Esc>')
  say('accepted', accepted())

  say('explain', run('LlmAssistExplain', echoed))
  choices.wanted = { 'in memory', 'Unload' }
  say('unload', run('LlmAssistModels', told))
  say('chosen', table.concat(choices.made, ' / '))
  say('unloaded', run('LlmAssistMemory', echoed))
  choices.wanted = { 'on disk', 'Load' }
  say('load', run('LlmAssistModels', told))
  choices.wanted = { 'in memory', 'Keep in memory' }
  say('pin', run('LlmAssistModels', told))
  say('memory', run('LlmAssistMemory', echoed))
  say('limit', run('LlmAssistLimit 3', told))
  say('nonsense', run('LlmAssistLimit nonsense', told))
  wait('the limit in the status', function() return assist.status():find('/3.0 GB', 1, true) end)
  say('history', run('LlmAssistHistory 1', echoed))
  say('train', run('LlmAssistTrain', told))
  say('progress', client.messages and next(client.messages.progress) ~= nil)
  say('idle', run('LlmAssistCancel', told))
  choices.wanted = { 'qwen2.5-coder:1.5b', 'Load' }
  vim.cmd('LlmAssistModels')
  wait('the cancellation of a load', function() return run('LlmAssistCancel', told) == 'Canceled.' end)
  wait('its end', function() return run('LlmAssistCancel', told) ~= 'Canceled.' end)
  say('canceled', run('LlmAssistMemory', echoed))
  choices.wanted = { 'qwen2.5-coder:1.5b', 'Load' }
  say('loadOllama', run('LlmAssistModels', told))
  choices.wanted = { 'codellama:7b  (does not fit', 'Load' }
  say('refused', run('LlmAssistModels', told))
  say('pull', run('LlmAssistPull starcoder2:3b', told))
  say('unloadAll', run('LlmAssistUnloadAll', told))

  local id = client.id
  vim.lsp.stop_client(id)
  wait('the end of the server', function() return vim.lsp.get_client_by_id(id) == nil end)
  say('left', assist.status() == '')
  say('without', run('LlmAssistMemory', told))
  say('OK')
end

-- An uncaught error leaves headless Neovim waiting for keys: always end with a status.
local ok, failure = xpcall(main, debug.traceback)
if not ok then
  io.stderr:write('FAIL ' .. tostring(failure) .. '\n')
  vim.cmd('cquit 1')
end
vim.cmd('qall!')
