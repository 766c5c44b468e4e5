import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drivenLab } from '../lab.js';
import type { Driven } from '../lab.js';
import { ARRAY_LINES } from './array-lines.js';
import { BUILTIN_LINES } from './builtin-lines.js';
import { FURTHER_LINES } from './further-lines.js';
import { SCRIPT_LINES } from './script-lines.js';
import { TEXT_LINES } from './text-lines.js';

/** Lines with what bash prints for each; bash itself is asked, so nobody's memory of it is trusted. */
const LINES: readonly string[] = [
  `echo a 'b  c' "d|e" f\\ g # rest`,
  'echo one; echo two && echo three || echo four',
  'false && echo no || echo yes',
  'true; echo $?; false; echo $?',
  'x=1; echo $x "${x}2" \'$x\'',
  'x="a  b"; echo $x; echo "$x"',
  'x=$(echo a; echo b); echo $x; echo "$x"',
  'x=`echo a | tr a b`; echo $x',
  'echo "$(echo "a b")" $(echo c)',
  'echo $((1 + 2 * 3)) $((7 / 2)) $((7 % 4)) $((2 ** 10)) $((1 << 4)) $((5 > 3 && 2 < 1))',
  'i=5; ((i++)); ((i += 2)); echo $i $((i--)) $i',
  'for i in 1 2 3; do echo "n$i"; done',
  'for i in {1..3} {a,b}c x{1,2}{3,4}; do printf "%s," $i; done; echo',
  'for ((i = 0; i < 3; i++)); do echo $i; done',
  'i=0; while [ $i -lt 3 ]; do echo $i; i=$((i + 1)); done',
  'i=0; until [ $i -ge 2 ]; do echo $i; ((i++)); done',
  'for i in 1 2 3 4; do if [ $i = 2 ]; then continue; fi; if [ $i = 4 ]; then break; fi; echo $i; done',
  'for i in 1 2; do for j in 1 2; do [ $j = 2 ] && continue 2; echo $i$j; done; done',
  'if [ a = b ]; then echo 1; elif [ -n x ]; then echo 2; else echo 3; fi',
  'case abc in a*) echo first;; *) echo other;; esac',
  'case x in a|x) echo hit;& y) echo through;; esac',
  'f() { echo "$# $1 $2"; return 3; }; f a "b c"; echo $?',
  'f() { local v=2; echo $v; }; f',
  '[[ abc == a* ]] && echo glob; [[ abc == "a*" ]] || echo quoted; [[ abc =~ ^a.c$ ]] && echo re',
  '[[ -z "" && 3 -gt 2 ]] && echo both; [ ! -f /nosuch ] && echo absent',
  'x=file.tar.gz; echo ${x%.*} ${x%%.*} ${x#*.} ${x##*.} ${#x}',
  'echo ${u:-default} ${u:=set} $u ${u:+other} "${nosuch-}"',
  'x=hello; echo ${x/l/L} ${x//l/L} ${x:1:3} ${x: -2} ${x^} ${x^^} ${x/#he/HE}',
  'a=(one two "three four"); echo ${#a[@]} ${a[1]} "${a[2]}"; for i in "${a[@]}"; do echo "<$i>"; done',
  'a=(x); a+=(y z); echo ${a[*]} $a',
  'echo "a b" | { read x y; echo "$y $x"; }',
  'printf "%s-%03d|%5s|%-5s|%x\\n" a 7 b c 255',
  'printf "%s\\n" a b c',
  'printf "%.2f %5.1f\\n" 3.14159 2.5',
  "echo -e 'a\\tb\\nc'; echo -n x; echo",
  'cat <<EOF\nx $((1+1)) `echo y` "q" \\$z\nEOF',
  "cat <<'EOF'\n$x `y`\nEOF",
  'cat <<-EOF\n\tindented\n\tEOF',
  'cat <<< "here string"',
  'x=5; cat <<EOF | tr 5 6\nv=$x\nEOF',
  'echo a b c | while read one rest; do echo "$rest"; done',
  'printf "a\\nb\\n" | while read line; do echo "[$line]"; done',
  'while read a b; do echo $b; done <<EOF\n1 2\n3 4\nEOF',
  '(x=2; echo $x); echo "[$x]"',
  '{ echo a; echo b; } | tr ab cd',
  'echo out; echo err >&2',
  '{ echo out; echo err >&2; } 2>/dev/null',
  'nosuchvar=; echo "[$nosuchvar]" "[${nosuchvar:-d}]"',
  'set -- a b c; echo $# $2 "$@"; shift; echo $1',
  'eval "y=3; echo \\$y"',
  'x=1 sh -c \'echo "$x"\'; echo "[$x]"',
  "export X=7; sh -c 'echo $X'",
  "sh -c 'echo $1 $2' name a b",
  'echo "a\\"b" a\\"b \'a"b\' "a\'b" "a\\\\b" "\\a"',
  'echo "tab\there"',
  'x="a b"; for i in $x; do echo $i; done; for i in "$x"; do echo $i; done',
  'x="1,2,3"; IFS=,; for i in $x; do echo $i; done',
  'echo {1..5..2} {03..01} a{b}c {x}',
  'sed=1; echo \'x\'"y"z',
  'true && { echo a; false; } || echo b',
  '! false && echo negated',
  'type nosuchprogram >/dev/null 2>&1 || echo none',
  'echo "a b  c" | xargs -n 1 echo x',
  'printf "a\\nb\\n" | xargs -I{} echo "<{}>"',
  'let "z = 3 * 4"; echo $z',
  'printf -v v "%02d" 5; echo $v',
  'f() { for i in "$@"; do echo "<$i>"; done; }; f a "b c" ""',
  'echo $(( (1 + 2) * 3 )) $((x = 4, x + 1)) $((0x1f)) $((010))',
  'x=abc; case $x in [a-c]*) echo class;; esac; [[ $x != b* ]] && echo not',
  'true | false; echo $?; false | true; echo $?',
  'x=$(false); echo $?; y=$(echo a | grep b); echo "$? [$y]"',
  'exit 3',
  'f() { return 2; }; f || exit $?',
  'while true; do echo x; break; done',
  'seq 3 | head -n 2; seq 2 4 | tail -1',
  'echo "x=$x" | cut -d= -f1; echo a:b:c | cut -d: -f2,3',
  'printf "b\\na\\nb\\n" | sort | uniq -c | sort -rn | head -1 | awk \'{print $1, $2}\'',
  'echo hello | sed "s/l/L/g" | tr a-z A-Z',
  'printf "a 1\\nb 2\\n" | grep -c . ; printf "a\\n" | grep -q b; echo $?',
  'basename /a/b/c.txt; dirname /a/b/c.txt',
  'echo a > /tmp/nodens-x; echo b >> /tmp/nodens-x; cat /tmp/nodens-x; wc -l < /tmp/nodens-x; rm /tmp/nodens-x',
  '[ -f /tmp/nodens-y ] || echo gone; echo 1 > /tmp/nodens-y && [ -s /tmp/nodens-y ] && echo there; rm -f /tmp/nodens-y',
  'echo a &> /tmp/nodens-z; cat /tmp/nodens-z; rm /tmp/nodens-z; echo a 2>&1 | cat',
  'diff <(echo a) <(echo a) && echo same',
  'alias nothing=true; echo $#',
  'echo one two | { read a; echo $a; }; echo done',
  'sleep 0; wait; echo waited',
  'x=3; echo $x$x ${x}px "$x"\'$x\'',
  'echo a\\\n  b',
  'for x in a b; do\n  echo $x\ndone\necho end',
  `printf 'a 1\\nb 2\\nc 30\\n' | awk 'NR>1 {print $2, $1}'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk '$2==2'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk '/c/ {print NR": "$0}'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk '{s+=$2} END {print s, s/NR}'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk '{c[$1]++} END {print c["a"], c["z"]+0, ("b" in c), ("y" in c)}'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk 'BEGIN {printf "%5.2f|%-4s|%d\\n", 3.14159, "x", 7.9}'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk '{gsub(/[0-9]/, "<&>"); print}'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk '{n=split($0, p, " "); print n, p[2]}'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk 'NR==1,NR==2'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk '{print length($1), length, toupper($1) substr($0,2,2)}'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk 'BEGIN{while(i<3){i++; if(i==2)continue; print i}}'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk '{print ($2>1 ? "big" : "small")}'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk 'END{print NR, NF, $NF}'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk '{$2="x"; print}' OFS=-`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk -v n=2 '$2>=n && !/c/'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk '{ sub(/a/, "[&]"); print; exit 3 }'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk '{for (i=NF; i>0; i--) printf "%s ", $i; print ""}'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk '$1 ~ /^[ab]$/ {print index($0, " "), match($0, /[0-9]+/), RLENGTH}'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk '{x = x $1 ","} END {print x}'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk 'BEGIN {print 1e3, 0.1+0.2, 10/4, 7%3, 2^10, -3, "3"+4, "x" 1 2}'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk '{NF=1; print}'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk '{print; next; print "no"}'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk 'BEGIN { do { j++ } while (j < 5); print j; delete a; a[1]=2; delete a[1]; print length(a) }'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk '$2 > 1 { k++ } END { print k }'`,
  `printf 'a 1\\nb 2\\nc 30\\n' | awk '{print $1'`,
  `printf 'a:b:c\\n' | awk -F: '{print $2, NF}'`,
  `printf 'a1b22c\\n' | awk -F'[0-9]+' '{print $2 $3}'`,
  '[ 1 -lt 2 -a 2 -gt 1 ] && echo and; [ 1 -gt 2 -o x = x ] && echo or; [ 1 -gt 2 -a x = x ] || echo not both',
  '[ ! -n "" ] && echo not; [ x ] && echo text; [ "" ] || echo empty; [ ] || echo nothing; [ ! x ] || echo no',
  '[ 1 -eq 1 ] && [ 1 -ne 2 ] && [ 2 -le 2 ] && [ 2 -ge 2 ] && echo numbers; [ 2 -lt 2 ] || [ 2 -gt 2 ] || echo equal',
  '[ 1 -eq 2 ] || [ 2 -ne 2 ] || [ 3 -le 2 ] || [ 1 -ge 2 ] || echo other; [ a != b ] && [ a = a ] && echo texts',
  '[ a = b ] || [ a != a ] || echo others; [ -z x ] || [ -n "" ] || echo lengths; [ a == a ]; echo $?',
  'for ((i = 0; i < 3; i++)); do echo $i; done; echo $?; for ((i = 0; i < 0; i++)); do false; done; echo $?',
  'for ((i = 0; i < 9; i++)); do [ $i = 2 ] && break; done; echo $i; for ((;;)); do break; done; echo $?',
  'for ((i = 0; i < 2; i++)); do false; done; echo $?; while false; do echo no; done; echo $?',
  'until true; do echo no; done; echo $?; i=0; while [ $((i++)) -lt 2 ]; do false; done; echo $? $i',
];

/** Where bash has the files that lines call `/tmp/nodens-...`. */
const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-bash-'));
afterAll(() => rmSync(folder, { recursive: true }));

let driven: Driven;
beforeAll(async () => {
  driven = await drivenLab();
});
afterAll(() => driven.end());

describe('a line does what it does in bash', () => {
  it.each(
    [...LINES, ...FURTHER_LINES, ...SCRIPT_LINES, ...ARRAY_LINES, ...BUILTIN_LINES, ...TEXT_LINES].map((line) => ({
      line,
    })),
  )('$line', async ({ line }) => {
    const own = line.replaceAll('/tmp/nodens-', `${folder}/`);
    const bash = spawnSync('bash', ['--norc', '-c', own], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    const code = await driven.drive(
      driven.fresh().run(line, { write: (text) => (out += text), error: (text) => (err += text), last: true }),
    );
    expect({ out, code }).toEqual({ out: bash.stdout.replaceAll(`${folder}/`, '/tmp/nodens-'), code: bash.status });
    expect(err === '').toBe(bash.stderr === '');
  });
});
