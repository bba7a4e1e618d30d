;;; llm-assist.el --- LLM Assist through Eglot  -*- lexical-binding: t -*-

;; Package-Requires: ((emacs "28.1") (eglot "1.9"))

;;; Commentary:

;; Starts the language server through Eglot, shows in the mode line what models take, and adds commands for models and
;; memory.  Suggestions are Eglot's completions; `llm-assist-accept' takes the best line at once.

;;; Code:

(require 'cl-lib)
(require 'eglot)
(require 'subr-x)

(defgroup llm-assist nil "Completion that runs on your own machine." :group 'eglot)

(defcustom llm-assist-command
  (let ((built (expand-file-name "../../../artifacts/llm-assist/llm-assist" (file-name-directory (or load-file-name buffer-file-name)))))
    (list (if (file-executable-p built) built "llm-assist") "serve" "--stdio"))
  "The server's command: the one that `npm run build' makes, else one on the path."
  :type '(repeat string))

(defcustom llm-assist-settings nil
  "The server's settings, as in (:memory (:limit \"low\"))."
  :type 'plist)

(defclass llm-assist-server (eglot-lsp-server)
  ((status :initform nil :accessor llm-assist--status :documentation "The last llmAssist/status."))
  "The server, so that nothing here touches other servers of Eglot.")

;;;###autoload
(defun llm-assist-setup (&rest modes)
  "Serve buffers of MODES, which are all of `prog-mode' if there are none.
Eglot has one server for a buffer: LLM Assist takes the place of another
one that serves these modes."
  (dolist (mode (or modes '(prog-mode)))
    (add-to-list 'eglot-server-programs (cons mode (lambda (&rest _) (cons 'llm-assist-server llm-assist-command))))
    (add-hook (intern (format "%s-hook" mode)) #'eglot-ensure))
  (add-to-list 'mode-line-misc-info '(eglot--managed-mode (:eval (llm-assist-mode-line)))))

;;; Words and numbers

(defun llm-assist--say (english spanish &rest values)
  "Format ENGLISH, or SPANISH where the environment is Spanish, with VALUES."
  (let ((locale (cl-find-if-not #'string-empty-p (mapcar (lambda (name) (or (getenv name) "")) '("LC_ALL" "LC_MESSAGES" "LANG")))))
    (apply #'format (if (and locale (string-match-p "\\`es\\b" locale)) spanish english) values)))

(defun llm-assist--size (bytes)
  "BYTES for people.  GB as everybody says, which are 2^30 bytes."
  (cond ((< bytes (expt 2 20)) (format "%.0f KB" (/ bytes (expt 2.0 10))))
        ((< bytes (expt 2 30)) (format "%.0f MB" (/ bytes (expt 2.0 20))))
        (t (format "%.1f GB" (/ bytes (expt 2.0 30))))))

(defun llm-assist--true (value)
  "Whether VALUE is JSON's true."
  (not (memq value '(nil :json-false))))

(defun llm-assist--show (lines)
  "Show LINES in the echo area."
  (message "%s" (string-join lines "\n")))

;;; The server

(cl-defmethod eglot-initialization-options ((_server llm-assist-server))
  "The settings, also for those who have no `eglot-workspace-configuration'."
  (or llm-assist-settings (make-hash-table)))

(cl-defmethod eglot-handle-notification ((server llm-assist-server) (_method (eql llmAssist/status)) &rest status)
  "Keep STATUS of SERVER for the mode line."
  (setf (llm-assist--status server) status)
  (force-mode-line-update t))

(cl-defmethod eglot-handle-request ((_server llm-assist-server) (_method (eql window/showMessageRequest)) &key message &allow-other-keys)
  "Show MESSAGE.
A question in the minibuffer would take what is being typed for its answer."
  (message "%s" (llm-assist--say "%s M-x llm-assist-models does it." "%s Se hace con M-x llm-assist-models." message))
  nil)

(defun llm-assist--server ()
  "The server of the current buffer, else any; signal an error if there is none."
  (or (cl-find-if (lambda (server) (cl-typep server 'llm-assist-server))
                  (cons (eglot-current-server) (apply #'append (hash-table-values eglot--servers-by-project))))
      (user-error "%s" (llm-assist--say "LLM Assist does not run; open a file first" "LLM Assist no está en marcha; abra antes un archivo"))))

(defun llm-assist--params (command argument)
  "What to send for COMMAND with ARGUMENT."
  (list :command (concat "llmAssist." command) :arguments (if argument (vector argument) [])))

(defun llm-assist--ask (command &optional argument)
  "Execute COMMAND with ARGUMENT and answer its result.  For what takes no time."
  (condition-case failure
      (jsonrpc-request (llm-assist--server) :workspace/executeCommand (llm-assist--params command argument))
    (jsonrpc-error (user-error "%s" (or (alist-get 'jsonrpc-error-message (cdr failure)) (error-message-string failure))))))

(defun llm-assist--execute (command &optional argument)
  "Execute COMMAND with ARGUMENT while Emacs goes on.
Show what the server says."
  (jsonrpc-async-request (llm-assist--server) :workspace/executeCommand (llm-assist--params command argument)
                         :success-fn (lambda (answer) (message "%s" (plist-get answer :message)))
                         :error-fn (lambda (failure) (message "%s" (plist-get failure :message)))
                         :timeout nil))

(defun llm-assist-mode-line ()
  "What models take of what they may, or what is going on."
  (let* ((server (eglot-current-server))
         (status (and (cl-typep server 'llm-assist-server) (llm-assist--status server)))
         (said (plist-get status :message))
         (memory (plist-get status :memory)))
    (cond
     ((null status) "")
     ((and (not (string-empty-p said))
           (or (llm-assist--true (plist-get status :busy)) (member (plist-get status :state) '("degraded" "off"))))
      ;; A percent sign would be a construct of the mode line.
      (replace-regexp-in-string "%" "%%" (format " [LLM Assist: %s]" said) t t))
     (t (format " [LLM Assist %s/%s]" (llm-assist--size (plist-get memory :modelsBytes)) (llm-assist--size (plist-get memory :limitBytes)))))))

;;; Models

;;;###autoload
(defun llm-assist-train (&optional folder)
  "Learn from the project, or with a prefix argument from FOLDER."
  (interactive (list (and current-prefix-arg (read-directory-name "Folder: "))))
  (llm-assist--execute "models.train" (and folder (list :folders (vector (expand-file-name folder))))))

(defun llm-assist--model-line (model)
  "MODEL for people."
  (let ((predicted (plist-get model :predictedBytes))
        (fit (plist-get model :fit)))
    (format "%s  (%s%s)"
            (plist-get model :id)
            (cond
             ((llm-assist--true (plist-get model :loaded))
              (llm-assist--say "in memory, %s" "en memoria, %s" (llm-assist--size (* 1024 (plist-get model :memoryKb)))))
             ((equal fit "no") (llm-assist--say "does not fit: takes %s" "no cabe: ocupa %s" (llm-assist--size predicted)))
             ((equal fit "afterEvicting")
              (llm-assist--say "would take %s, after %s has left" "ocuparía %s, tras salir %s"
                               (llm-assist--size predicted) (string-join (plist-get model :fitEvicts) ", ")))
             (predicted (llm-assist--say "would take %s" "ocuparía %s" (llm-assist--size predicted)))
             (t (llm-assist--say "%s on disk" "%s en disco" (llm-assist--size (plist-get model :sizeBytes)))))
            (if (llm-assist--true (plist-get model :pinned)) (llm-assist--say ", pinned" ", fijado") ""))))

(defun llm-assist--choose (prompt choices)
  "Ask with PROMPT for one of CHOICES, an alist from texts.
Answer what belongs to the text."
  (cdr (assoc (completing-read prompt choices nil t) choices)))

;;;###autoload
(defun llm-assist-models ()
  "Show all models; the chosen one can be loaded, unloaded and pinned."
  (interactive)
  (let ((models (mapcar (lambda (model) (cons (llm-assist--model-line model) model)) (llm-assist--ask "models.list"))))
    (unless models
      (user-error "%s" (llm-assist--say "There are no models yet; M-x llm-assist-train makes one" "Todavía no hay modelos; M-x llm-assist-train crea uno")))
    (when-let* ((model (llm-assist--choose (llm-assist--say "Model: " "Modelo: ") models))
                (command (llm-assist--choose
                          (format "%s: " (plist-get model :id))
                          (list (if (llm-assist--true (plist-get model :loaded))
                                    (cons (llm-assist--say "Unload" "Descargar de la memoria") "models.unload")
                                  (cons (llm-assist--say "Load" "Cargar") "models.load"))
                                (if (llm-assist--true (plist-get model :pinned))
                                    (cons (llm-assist--say "Let it leave when room is needed" "Dejar que salga cuando falte sitio") "models.unpin")
                                  (cons (llm-assist--say "Keep in memory" "Mantener en memoria") "models.pin"))))))
      (llm-assist--execute command (list :id (plist-get model :id))))))

;;;###autoload
(defun llm-assist-unload-all ()
  "Take all models out of memory that LLM Assist has loaded."
  (interactive)
  (llm-assist--execute "models.unloadAll"))

;;;###autoload
(defun llm-assist-pull (name)
  "Have Ollama download the model NAME."
  (interactive (list (read-string "qwen2.5-coder:1.5b …: ")))
  (llm-assist--execute "ollama.pull" (list :name name)))

;;; Memory

;;;###autoload
(defun llm-assist-memory ()
  "Show what models take, and what the server advises."
  (interactive)
  (let ((memory (llm-assist--ask "memory.status")))
    (llm-assist--show
     (append
      (list (llm-assist--say "Models take %s of %s." "Los modelos ocupan %s de %s."
                             (llm-assist--size (plist-get memory :modelsBytes)) (llm-assist--size (plist-get memory :limitBytes))))
      (when (plist-get memory :systemTotalBytes)
        (list (llm-assist--say "This machine has %s of %s left." "A este equipo le quedan %s de %s."
                               (llm-assist--size (plist-get memory :systemAvailableBytes)) (llm-assist--size (plist-get memory :systemTotalBytes)))))
      (mapcar (lambda (model)
                (format "  %s: %s%s%s" (plist-get model :id) (llm-assist--size (plist-get model :bytes))
                        (if (llm-assist--true (plist-get model :pinned)) (llm-assist--say ", pinned" ", fijado") "")
                        (if (llm-assist--true (plist-get model :busy)) (llm-assist--say ", in use" ", en uso") "")))
              (plist-get memory :models))
      (append (plist-get memory :advice) nil)))))

;;;###autoload
(defun llm-assist-set-limit (limit)
  "Set what models may take until the server ends.
LIMIT is a preset, or a number of GB.  `llm-assist-settings' keeps it."
  (interactive (list (completing-read (llm-assist--say "Limit (or a number of GB): " "Límite (o un número de GB): ") '("low" "medium" "high" "veryHigh"))))
  (llm-assist--execute "memory.setLimit" (list :limit (if (and (stringp limit) (string-match-p "\\`[0-9.]+\\'" limit)) (string-to-number limit) limit))))

;;;###autoload
(defun llm-assist-history ()
  "Show what memory did in the last 24 hours, with the reasons."
  (interactive)
  (llm-assist--show
   (or (mapcar (lambda (event)
                 (format "%s  %-7s %s: %s" (plist-get event :at) (plist-get event :kind) (plist-get event :id) (plist-get event :reason)))
               (plist-get (llm-assist--ask "memory.history") :events))
       (list (llm-assist--say "Nothing has happened." "No ha ocurrido nada.")))))

;;; Completion

;;;###autoload
(defun llm-assist-explain ()
  "Show what became of the last completion, and why."
  (interactive)
  (if-let ((last (llm-assist--ask "completion.explain")))
      (let ((ollama (plist-get last :ollama)))
        (llm-assist--show
         (append
          (list (format "%s, %s, %.1f ms" (plist-get last :surface) (plist-get last :lane) (/ (plist-get last :elapsedMicroseconds) 1000.0)))
          (when-let ((why (plist-get last :why))) (list why))
          (mapcar (lambda (item) (format "  %3.0f %%  %s  (%s)" (* 100 (plist-get item :confidence)) (plist-get item :text) (plist-get item :lane)))
                  (plist-get last :items))
          (mapcar (lambda (filtered) (llm-assist--say "  filtered (%s)  %s" "  filtrado (%s)  %s" (plist-get filtered :filter) (plist-get filtered :text)))
                  (plist-get last :filtered))
          (when ollama
            (list (format "Ollama: %s%s%s" (if-let ((model (plist-get ollama :model))) (concat model ": ") "") (plist-get ollama :outcome)
                          (if-let ((why (plist-get ollama :why))) (concat ". " why) "")))))))
    (llm-assist--show (list (llm-assist--say "No completion was asked for yet." "Todavía no se ha pedido ninguna sugerencia.")))))

;;;###autoload
(defun llm-assist-accept ()
  "Take the best continuation of the line."
  (interactive)
  (let* ((server (llm-assist--server))
         ;; Deferred until Eglot has told the server what was typed last.
         (answer (jsonrpc-request server :textDocument/inlineCompletion
                                  (append (eglot--TextDocumentPositionParams) '(:context (:triggerKind 1)))
                                  :deferred :textDocument/inlineCompletion))
         (items (append (plist-get answer :items) nil)))
    (if (null items)
        (message "%s" (llm-assist--say "No suggestion here; M-x llm-assist-explain says why." "No hay sugerencia aquí; M-x llm-assist-explain dice por qué."))
      (pcase-let ((`(,start . ,end) (funcall (if (fboundp 'eglot-range-region) 'eglot-range-region 'eglot--range-region) (plist-get (car items) :range))))
        (delete-region start end)
        (goto-char start)
        (insert (plist-get (car items) :insertText))
        (jsonrpc-async-request server :workspace/executeCommand
                               (let ((command (plist-get (car items) :command)))
                                 (list :command (plist-get command :command) :arguments (plist-get command :arguments))))))))

(provide 'llm-assist)
;;; llm-assist.el ends here
