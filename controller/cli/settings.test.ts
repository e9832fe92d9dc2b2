/**
 * Promises of settings.ts. UPDATE=1 rewrites the tables of docs/cli.md.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { COMMANDS, type Command, type Setting, variableOf } from './settings.ts'

const page = join(import.meta.dirname, '..', '..', 'docs', 'cli.md')

function row(setting: Setting): string {
  const choices = setting.choices === undefined ? '' : ` (${setting.choices.join(', ')})`
  const fallback = setting.fallback === null ? '' : `\`${setting.fallback}\``
  return `| \`--${setting.name}\` | \`${variableOf(setting)}\` | ${setting.kind}${choices} | ${fallback} | ${setting.description} |`
}

function section(name: string, command: Command): string {
  const argument = command.argument === null ? '' : ` ${command.argument}`
  return [
    `## fairlead ${name}${argument}`,
    '',
    `${command.description[0]?.toUpperCase()}${command.description.slice(1)}.`,
    '',
    '| flag | variable | value | default | meaning |',
    '|---|---|---|---|---|',
    ...command.settings.map(row),
    '',
  ].join('\n')
}

test('docs/cli.md lists every flag and variable, and no other', () => {
  const tables = Object.entries<Command>(COMMANDS).map(([name, command]) => section(name, command))
  const text = readFileSync(page, 'utf8')
  const start = text.indexOf('## fairlead dev')
  const head = start === -1 ? text : text.slice(0, start)
  const expected = `${head}${tables.join('\n')}`
  if (process.env['UPDATE'] === '1') writeFileSync(page, expected)
  else assert.equal(text, expected)
})

test('no two flags share a variable with different meanings', () => {
  const kinds = new Map<string, string>()
  for (const setting of Object.values<Command>(COMMANDS).flatMap((command) => command.settings)) {
    const before = kinds.get(setting.name) ?? setting.kind
    assert.equal(before, setting.kind, setting.name)
    kinds.set(setting.name, setting.kind)
  }
})
