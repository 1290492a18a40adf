/** What a request's body says, whatever endpoint it is for. */
export interface Message {
  role: string
  text: string
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const json = (value: unknown) => JSON.stringify(value, null, 2)

/** Text of a message's content, which is a string or a list of parts. */
function contentText(content: unknown): string {
  if (typeof content === 'string') return content
  if (content == null) return ''
  if (!Array.isArray(content)) return json(content)
  return content
    .map((part: unknown) =>
      isRecord(part) && typeof part['text'] === 'string' ? part['text'] : json(part),
    )
    .join('\n')
}

function message(value: unknown): Message {
  if (!isRecord(value)) return { role: 'unknown', text: json(value) }
  const role = typeof value['role'] === 'string' ? value['role'] : 'unknown'
  const parts = [contentText(value['content'])]
  if (typeof value['reasoning_content'] === 'string') parts.unshift(value['reasoning_content'])
  if (Array.isArray(value['tool_calls']) && value['tool_calls'].length > 0) {
    parts.push(json(value['tool_calls']))
  }
  return { role, text: parts.filter(Boolean).join('\n\n') }
}

/** The messages of a request: chat messages, or its prompt or input as one. */
export function messagesOf(body: Record<string, unknown>): Message[] {
  if (Array.isArray(body['messages'])) return body['messages'].map(message)
  const prompt = body['prompt'] ?? body['input']
  if (prompt === undefined) return []
  return [{ role: 'prompt', text: typeof prompt === 'string' ? prompt : json(prompt) }]
}

/** The answers in a response's body, one per choice. */
export function answersOf(body: Record<string, unknown>): Message[] {
  if (!Array.isArray(body['choices'])) return []
  return body['choices'].filter(isRecord).map((choice) => {
    if (isRecord(choice['message'])) return message({ role: 'assistant', ...choice['message'] })
    const text = choice['text']
    return { role: 'completion', text: typeof text === 'string' ? text : '' }
  })
}

/** What a request's body says besides its messages. */
export function parametersOf(body: Record<string, unknown>): [string, unknown][] {
  const said = ['messages', 'prompt', 'input']
  return Object.entries(body).filter(([name]) => !said.includes(name))
}
