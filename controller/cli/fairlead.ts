#!/usr/bin/env node
/**
 * The `fairlead` command: parses flags, then hands over to one file per command. What the user got
 * wrong is one clear line and exit code 2; what failed on its own is exit code 1.
 * Pinned by test/dev.test.ts: "what the user cannot have is one line and exit code 2".
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { textAt } from '../kube/fields.ts'
import { COMMANDS, type CommandName, type Setting, variableOf } from './settings.ts'
import { UsageFailure, valuesOf, type Values } from './values.ts'

/** A command runs until it is done, or until a signal has ended it; the result is the exit code. */
type Run = (values: Values, argument: string) => Promise<number>

const RUN: Readonly<Record<CommandName, () => Promise<Run>>> = {
  dev: async () => (await import('./dev.ts')).dev,
  controller: async () => (await import('./controller.ts')).controller,
  dataplane: async () => (await import('./dataplane.ts')).dataplane,
  'key create': async () => (await import('./key-create.ts')).keyCreate,
}

function program(finish: (code: number) => void): Command {
  const root = quiet(new Command('fairlead'))
    .description('An API gateway for Kubernetes')
    .version(version(), '--version', 'print the version')
    .showSuggestionAfterError()
  const groups = new Map<string, Command>()
  for (const name of Object.keys(COMMANDS)) {
    if (!isCommand(name)) continue
    const [first = '', second] = name.split(' ')
    if (second === undefined) root.addCommand(commandOf(name, first, finish))
    else {
      const group = groups.get(first) ?? quiet(new Command(first)).description('API keys')
      if (!groups.has(first)) root.addCommand(group)
      groups.set(first, group)
      group.addCommand(commandOf(name, second, finish))
    }
  }
  return root
}

/** Of package.json, which stands two folders above. */
function version(): string {
  const path = join(import.meta.dirname, '..', '..', 'package.json')
  const stated: unknown = JSON.parse(readFileSync(path, 'utf8'))
  return textAt(stated, 'version') ?? 'unknown'
}

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name)
}

/** Errors are thrown, so that all of them end in one place. */
function quiet(command: Command): Command {
  return command.exitOverride().configureOutput({ writeErr: () => {} })
}

function commandOf(name: CommandName, word: string, finish: (code: number) => void): Command {
  const { argument, description, settings } = COMMANDS[name]
  const command = quiet(new Command(word)).description(description)
  if (argument !== null) command.argument(`<${argument}>`)
  for (const setting of settings) command.option(flagOf(setting), helpOf(setting))
  command.action(async (...given: readonly unknown[]) => {
    const flags = textsOf(command.opts(), settings)
    const run = await RUN[name]()
    const values = valuesOf(name, flags, process.env)
    finish(await run(values, typeof given[0] === 'string' ? given[0] : ''))
  })
  return command
}

function flagOf({ name, kind }: Setting): string {
  return kind === 'switch' ? `--${name}` : `--${name} <${kind}>`
}

function helpOf(setting: Setting): string {
  const fallback = setting.fallback === null ? '' : `; default ${setting.fallback}`
  return `${setting.description}${fallback} [${variableOf(setting)}]`
}

function textsOf(options: Readonly<Record<string, unknown>>, settings: readonly Setting[]) {
  const texts: Record<string, string | undefined> = {}
  for (const { name } of settings) {
    const value = options[name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())]
    if (typeof value === 'string') texts[name] = value
    else if (value === true) texts[name] = ''
  }
  return texts
}

async function main(): Promise<number> {
  let code = 0
  try {
    await program((result) => {
      code = result
    }).parseAsync()
  } catch (error) {
    return explain(error)
  }
  return code
}

function explain(error: unknown): number {
  if (error instanceof UsageFailure) return say(error.message, 2)
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0
    if (error.code === 'commander.help') return say('name a command; fairlead --help lists them', 2)
    return say(error.message.replace(/^error: /, '').replaceAll('\n', ' '), 2)
  }
  return say(error instanceof Error ? error.message : String(error), 1)
}

function say(line: string, code: number): number {
  process.stderr.write(`fairlead: ${line}\n`)
  return code
}

process.exitCode = await main()
