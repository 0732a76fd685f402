/** `tokenloom completion bash|zsh|fish`: scripts made from the commands themselves, so they cannot fall behind. */
import { Argument, type Command } from 'commander';
import { EXIT } from './exit.js';
import type { Finish } from './generate.js';

/** Adds `completion` to the program. */
export function addCompletionCommand(program: Command, finish: Finish): void {
  program
    .command('completion')
    .description('print a shell completion script')
    .addArgument(new Argument('<shell>', 'shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      `
Examples:
  $ source <(tokenloom completion bash)
  $ tokenloom completion zsh > "\${fpath[1]}/_tokenloom"
  $ tokenloom completion fish > ~/.config/fish/completions/tokenloom.fish`,
    )
    .action((shell: string) => {
      const paths = walk(program, []);
      process.stdout.write(shell === 'bash' ? bash(paths) : shell === 'zsh' ? zsh(paths) : fish(paths));
      finish(EXIT.ok);
    });
}

interface Node {
  /** Words from the program to this command, the program not included. */
  readonly path: readonly string[];
  readonly commands: readonly { readonly name: string; readonly help: string }[];
  /** Values of the first argument, where they are few. */
  readonly choices: readonly string[];
  readonly options: readonly {
    readonly flag: string;
    readonly short: string | undefined;
    readonly help: string;
    readonly values: readonly string[] | undefined;
    readonly takes: boolean;
  }[];
}

function walk(command: Command, path: readonly string[]): Node[] {
  const node: Node = {
    path,
    choices: command.registeredArguments[0]?.argChoices ?? [],
    commands: command.commands.map((c) => ({ name: c.name(), help: c.description() })),
    options: command.options
      .filter((o) => !o.hidden && o.long)
      .map((o) => ({
        flag: o.long ?? '',
        short: o.short,
        help: o.description,
        values: o.argChoices,
        takes: o.required || o.optional,
      })),
  };
  return [node, ...command.commands.flatMap((c) => walk(c, [...path, c.name()]))];
}

function bash(nodes: readonly Node[]): string {
  const cases = nodes.map((n) => {
    const words = [...n.commands.map((c) => c.name), ...n.choices, ...n.options.map((o) => o.flag), '--help'].join(' ');
    return `    "${n.path.join(' ')}") words="${words}" ;;`;
  });
  const values = unique(nodes.flatMap((n) => n.options.filter((o) => o.values !== undefined)));
  const valueCases = values.map(
    (o) => `    ${o.flag}) COMPREPLY=($(compgen -W "${(o.values ?? []).join(' ')}" -- "$cur")); return ;;`,
  );
  const known = nodes.map((n) => `"${n.path.join(' ')}"`).join('|');
  return `# tokenloom completion for bash
_tokenloom() {
  local cur prev path words i next
  cur="\${COMP_WORDS[COMP_CWORD]}"
  prev="\${COMP_WORDS[COMP_CWORD-1]}"
  path=""
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${path:+$path }\${COMP_WORDS[i]}"
    case "$next" in ${known}) path="$next" ;; esac
  done
  case "$prev" in
${valueCases.join('\n')}
  esac
  case "$path" in
${cases.join('\n')}
    *) words="" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [ \${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$cur")); fi
}
complete -o filenames -F _tokenloom tokenloom
`;
}

function zsh(nodes: readonly Node[]): string {
  const cases = nodes.map((n) => {
    const options = n.options.map((o) => {
      const what = `[${quote(o.help)}]${o.takes ? `:value:${o.values === undefined ? '_files' : `(${o.values.join(' ')})`}` : ''}`;
      return o.short === undefined ? `'${o.flag}${what}'` : `'(${o.short} ${o.flag})'{${o.short},${o.flag}}'${what}'`;
    });
    const commands = n.commands.map((c) => `'${c.name}:${quote(c.help)}'`);
    const rest =
      n.commands.length > 0 ? [] : [n.choices.length === 0 ? "'*:file:_files'" : `'1:value:(${n.choices.join(' ')})'`];
    const describe =
      commands.length === 0 ? '' : `local -a commands; commands=(${commands.join(' ')}); _describe command commands; `;
    return `    "${n.path.join(' ')}") ${describe}_arguments ${[...options, "'--help[show usage and examples]'", ...rest].join(' ')} ;;`;
  });
  const known = nodes.map((n) => `"${n.path.join(' ')}"`).join('|');
  // `path` is a special variable of zsh. The words of the command itself are cut off, so that _arguments counts what is left.
  return `#compdef tokenloom
_tokenloom() {
  local where="" next
  local -i i=2 depth=1
  for ((; i < CURRENT; i++)); do
    next="\${where:+$where }\${words[i]}"
    case "$next" in
      ${known}) where="$next"; depth=i ;;
      *) break ;;
    esac
  done
  shift $((depth - 1)) words
  ((CURRENT -= depth - 1))
  case "$where" in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = "_tokenloom" ]; then _tokenloom "$@"; else compdef _tokenloom tokenloom; fi
`;
}

function fish(nodes: readonly Node[]): string {
  const lines = ['# tokenloom completion for fish'];
  const groups = nodes.filter((n) => n.path.length === 1 && n.commands.length > 0).map((n) => n.path[0] as string);
  for (const n of nodes) {
    const seen = n.path.map((word) => `__fish_seen_subcommand_from ${word}`);
    // A command and one of the same name in a group differ in the group.
    const others = groups.filter((group) => group !== n.path[0]);
    const not = [...n.commands.map((c) => c.name), ...(n.path.length === 0 ? [] : others)];
    const when = [...seen, ...(not.length > 0 ? [`not __fish_seen_subcommand_from ${not.join(' ')}`] : [])].join(
      '; and ',
    );
    const condition = when === '' ? '' : ` -n "${when}"`;
    for (const c of n.commands) lines.push(`complete -c tokenloom -f${condition} -a ${c.name} -d '${quote(c.help)}'`);
    if (n.choices.length > 0) lines.push(`complete -c tokenloom -f${condition} -a '${n.choices.join(' ')}'`);
    for (const o of n.options) {
      const values = o.values === undefined ? (o.takes ? ' -r' : '') : ` -x -a '${o.values.join(' ')}'`;
      const short = o.short === undefined ? '' : ` -s ${o.short.slice(1)}`;
      lines.push(`complete -c tokenloom${condition}${short} -l ${o.flag.slice(2)}${values} -d '${quote(o.help)}'`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function quote(text: string): string {
  return text.replace(/'/g, '’').replace(/[[\]:]/g, ' ');
}

function unique<T extends { readonly flag: string }>(options: readonly T[]): readonly T[] {
  return [...new Map(options.map((o) => [o.flag, o])).values()];
}
