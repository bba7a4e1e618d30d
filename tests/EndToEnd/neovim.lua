-- A session in Neovim with nothing but its own client: attach, type, complete, execute a command, leave.
local function say(...) io.stdout:write(table.concat(vim.tbl_map(tostring, { ... }), ' ') .. '\n') end
local function wait(what, condition)
  if not vim.wait(60000, condition, 20) then error('never came: ' .. what, 2) end
end

local function main()
  vim.o.swapfile = false
  local status
  vim.cmd('edit ' .. vim.fn.fnameescape(vim.env.E2E_FILE))
  local buffer = vim.api.nvim_get_current_buf()
  vim.bo[buffer].filetype = 'typescript'
  local id = vim.lsp.start_client({
    name = 'llm-assist', cmd = { vim.env.E2E_SERVER, 'serve', '--stdio' }, root_dir = vim.env.E2E_ROOT,
    handlers = { ['llmAssist/status'] = function(_, params) status = params end },
  })
  vim.lsp.buf_attach_client(buffer, id)
  local client
  wait('initialize', function()
    client = vim.lsp.get_client_by_id(id)
    return client and client.initialized
  end)
  say('completion', client.server_capabilities.completionProvider ~= nil)
  wait('a model in use', function() return status and status.state == 'ready' and 0 < #status.memory.models end)
  local function request(method, params)
    local response, failure = client.request_sync(method, params, 20000, buffer)
    if failure or not response or response.err then error(method .. ' ' .. vim.inspect(failure or (response and response.err)), 2) end
    return response.result
  end

  -- Typed by an edit of the buffer, which reaches the server as didChange.
  local line = '  const inventory = parseI'
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, { 'async function f(content: string) {', line, '}' })
  vim.api.nvim_win_set_cursor(0, { 2, #line })
  local position = { textDocument = { uri = vim.uri_from_bufnr(buffer) }, position = { line = 1, character = #line } }
  local list = request('textDocument/completion', position)
  say('labels', table.concat(vim.tbl_map(function(item) return item.label end, list.items), ','))

  -- Neovim 0.7 has no ghost text; the server therefore puts the best line into the list.
  local best = list.items[1]
  say('first', best.textEdit.newText)
  vim.lsp.util.apply_text_edits({ best.textEdit }, buffer, client.offset_encoding)
  say('line', vim.api.nvim_buf_get_lines(buffer, 1, 2, false)[1])
  local models = request('workspace/executeCommand', { command = 'llmAssist.models.list', arguments = {} })
  say('models', #models, models[1].loaded)
  local memory = request('workspace/executeCommand', { command = 'llmAssist.memory.status', arguments = {} })
  say('memory', memory.models[1].id == models[1].id)
  vim.lsp.stop_client(id)
  wait('the end of the server', function() return vim.lsp.get_client_by_id(id) == nil end)
  say('OK')
end

-- An uncaught error leaves headless Neovim waiting for keys: always end with a status.
local ok, failure = xpcall(main, debug.traceback)
if not ok then
  io.stderr:write('FAIL ' .. tostring(failure) .. '\n')
  vim.cmd('cquit 1')
end
vim.cmd('qall!')
