/** `completion SHELL`: made from the command tree, so that it cannot drift. */
import type { Command } from 'commander';
import { EXIT, type ExitCode, fail } from '../../wire/errors.ts';
import type { Context } from '../context.ts';

interface Node {
  readonly path: string;
  readonly words: readonly string[];
}

/** Every command with what can follow it: subcommands and options. */
function nodes(command: Command, globals: readonly string[], path = ''): Node[] {
  const own = command.options.map((o) => o.long).filter((o) => o !== undefined && o !== null);
  const subs = command.commands.map((c) => c.name());
  return [{ path, words: [...subs, ...own, ...(path === '' ? [] : globals)] }, ...command.commands.flatMap((c) => nodes(c, globals, path === '' ? c.name() : `${path} ${c.name()}`))];
}

function bash(tree: readonly Node[]): string {
  const cases = tree.map((n) => `    "${n.path}") words="${n.words.join(' ')}" ;;`).join('\n');
  return `# bash completion of mpc-ceremony: source this file, or put it into /etc/bash_completion.d
_mpc_ceremony() {
  local path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) case " ${tree.map((n) => n.path.replaceAll(' ', '_')).filter((p) => p !== '').join(' ')} " in *" \${path:+\${path// /_}_}$word "*) path="\${path:+$path }$word" ;; esac ;; esac
  done
  case "$path" in
${cases}
  esac
  COMPREPLY=( $(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}") )
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=( $(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}") )
}
complete -o filenames -F _mpc_ceremony mpc-ceremony
`;
}

function zsh(tree: readonly Node[]): string {
  return `#compdef mpc-ceremony
# zsh completion of mpc-ceremony: put this file into a folder of $fpath as _mpc-ceremony
autoload -U +X bashcompinit && bashcompinit
${bash(tree)}`;
}

function fish(tree: readonly Node[]): string {
  const lines = tree.flatMap((n) => {
    const parts = n.path === '' ? [] : n.path.split(' ');
    const when = parts.length === 0 ? '__fish_use_subcommand' : parts.map((p) => `__fish_seen_subcommand_from ${p}`).join('; and ');
    return n.words.map((w) => (w.startsWith('--') ? `complete -c mpc-ceremony -n '${when}' -l ${w.slice(2)}` : `complete -c mpc-ceremony -n '${when}' -f -a ${w}`));
  });
  return `# fish completion of mpc-ceremony: put this file into ~/.config/fish/completions\n${lines.join('\n')}\n`;
}

export async function completion(ctx: Context, shell: string, program: Command): Promise<ExitCode> {
  const globals = program.options.map((o) => o.long).filter((o) => o !== undefined && o !== null);
  const tree = nodes(program, globals);
  const text = shell === 'bash' ? bash(tree) : shell === 'zsh' ? zsh(tree) : shell === 'fish' ? fish(tree) : fail('E_USAGE', `no completion for ${shell}`, { remedy: 'Shells: bash, zsh, fish' });
  ctx.out.result({ schema: 'mpc-ceremony/completion/1', shell, script: text, exit: 0 }, [text.trimEnd()]);
  return Promise.resolve(EXIT.ok);
}
