import type { CommandLine } from '../command-lines.js';

/** Programs that work on text and files, after those of awk. */
export const TEXT_LINES: readonly CommandLine[] = [
  ['rm h cm.yaml r', ''],
  [
    `printf 'a\\nb\\n' > f && cat f && cat -n f && echo x | cat f - && echo y | cat - f && cat -n f f && printf 'no end' > g && cat g && echo && cat`,
    'a\nb\n     1\ta\n     2\tb\na\nb\nx\ny\na\nb\n     1\ta\n     2\tb\n     3\ta\n     4\tb\nno end\n!cat: got neither a file nor a pipe, allowed: one of them\n',
    1,
  ],
  [
    'timeout 5 kubectl exec curl-pod -- ping 172.20.1.40 | head -2 && timeout 3 kubectl exec curl-pod -- ping 172.20.1.40 | cat',
    'PING 172.20.1.40 (172.20.1.40) 56(84) bytes of data.\n64 bytes from 172.20.1.40: icmp_seq=1 ttl=63 time=0.000 ms\nPING 172.20.1.40 (172.20.1.40) 56(84) bytes of data.\n64 bytes from 172.20.1.40: icmp_seq=1 ttl=63 time=0.000 ms\n64 bytes from 172.20.1.40: icmp_seq=2 ttl=63 time=0.000 ms\n64 bytes from 172.20.1.40: icmp_seq=3 ttl=63 time=0.000 ms\n\n--- 172.20.1.40 ping statistics ---\n3 packets transmitted, 3 received, 0% packet loss, time 3000ms\nrtt min/avg/max/mdev = 0.000/0.000/0.000/0.000 ms\n',
  ],
  [
    `printf '1\\n2\\n3\\n4\\n5\\n' > one && printf '1\\n2\\n3\\nx\\n4\\n5\\n' > two && diff one two || echo $?; diff two one || echo $?; diff one one`,
    '3a4\n> x\n1\n4d3\n< x\n1\n',
  ],
  [
    `printf '1\\ny\\nz\\n4\\n5\\n6\\n7\\n' > three && diff one three || echo $?; diff three one || echo $?; diff -u one three`,
    '2,3c2,3\n< 2\n< 3\n---\n> y\n> z\n5a6,7\n> 6\n> 7\n1\n2,3c2,3\n< y\n< z\n---\n> 2\n> 3\n6,7d5\n< 6\n< 7\n1\n--- one\n+++ three\n@@ -1,5 +1,7 @@\n 1\n-2\n-3\n+y\n+z\n 4\n 5\n+6\n+7\n',
    1,
  ],
  [
    `printf '1\\n2\\nx\\n4\\n5\\ny\\nz\\n' > five && printf '' > none && diff one five || echo $?; diff five two || echo $?; diff none f || echo $?; diff f none`,
    '3c3\n< 3\n---\n> x\n5a6,7\n> y\n> z\n1\n2a3\n> 3\n6,7d6\n< y\n< z\n1\n0a1,2\n> a\n> b\n1\n1,2d0\n< a\n< b\n',
    1,
  ],
  [
    'diff one || echo $?; diff one two three',
    '!diff: allowed: diff [-u] FILE FILE\n2\n!diff: allowed: diff [-u] FILE FILE\n',
    2,
  ],
  [
    `echo -n a && echo -e 'b\\tc' && echo -ne 'd\\n' && echo -E 'e\\tf' && echo -x y && echo - z && echo a -n`,
    'ab\tc\nd\ne\\tf\n-x y\n- z\na -n\n',
  ],
  [
    'date +%s && sleep 1.5 && date +%s.%N && sleep 2s && date +%s && sleep x || echo $?; timeout 1 sleep 86400; echo $?; sleep 86401 || echo $?; sleep 5m || echo $?; sleep 0.25 && date +%N',
    '1753887380\n1753887381.500000000\n1753887383\n!sleep: got "x", allowed: 0 to 86400\n1\n124\n!sleep: got "86401", allowed: 0 to 86400\n1\n!sleep: got "5m", allowed: 0 to 86400\n1\n750000000\n',
  ],
  [
    `date '+%Y %m %d %H %M %S %F %T %Z %z %a %b %% %q' && date --utc +%H && date -I && date x || echo $?; date -Ix`,
    '2025 07 30 14 56 24 2025-07-30 14:56:24 UTC +0000 Wed Jul % %q\n14\n2025-07-30\n!date: got x, allowed: [-u] [-I] [+FORMAT]\n1\n!date: got -Ix, allowed: [-u] [-I] [+FORMAT]\n',
    1,
  ],
  [
    'seq 3 && seq 2 4 && seq 1 2 6 && seq 5 -2 1 && seq 3 1 && seq 0 && seq || echo $?; seq 1 0 3 || echo $?; seq 1 2 3 4 || echo $?; seq x || echo $?; seq 1 a',
    '1\n2\n3\n2\n3\n4\n1\n3\n5\n5\n3\n1\n!seq: got "", allowed: [FIRST [STEP]] LAST\n1\n!seq: got the step 0, allowed: any other\n1\n!seq: got "1 2 3 4", allowed: [FIRST [STEP]] LAST\n1\n!seq: got "x", allowed: [FIRST [STEP]] LAST\n1\n!seq: got "1 a", allowed: [FIRST [STEP]] LAST\n',
    1,
  ],
  ['seq 100001 | wc -l', '100000\n'],
  [
    'uname && uname -r && uname -n && ssh k8s-w1 uname -n && ssh k8s-w1 uname -a',
    'Linux\n6.8.0-64-generic\nk8s-ctr\nk8s-w1\nLinux k8s-w1 6.8.0-64-generic #67-Ubuntu SMP PREEMPT_DYNAMIC x86_64 x86_64 x86_64 GNU/Linux\n',
  ],
  [
    `printf 'ab c\\nd\\n' > t && tac t && rev t && nl t && tac < t && rev < t && tac -s t && echo 'äöx' | rev && tac`,
    'd\nab c\nc ba\nd\n     1\tab c\n     2\td\nd\nab c\nc ba\nd\nd\nab c\nxöä\n!tac: got neither a file nor a pipe, allowed: one of them\n',
    1,
  ],
  [
    `printf 'a bb c\\n\\ndddd e f g\\n' > c && column -t c && column c && printf 'a,b c\\ndd,e\\n' | column -t -s , && column -t -s , < c && printf 'x:y\\n' > d && column -s : -t d`,
    'a     bb  c\ndddd  e   f  g\na bb c\ndddd e f g\na   b c\ndd  e\na bb c\ndddd e f g\nx  y\n',
  ],
  ['clear | wc -c && clear', '11\n\u001b[H\u001b[2J\u001b[3J'],
  [
    'rm f g one two three five none c d && ls && mkdir -p sub/deep && touch sub/x sub/.hidden x y && ls && ls sub && ls -a sub && ls -A sub && ls nosuch sub || echo $?; ls -d sub && ls sub/x',
    `r2\nt\nr2\nsub\nt\nx\ny\ndeep\nx\n.hidden\ndeep\nx\n.hidden\ndeep\nx\n!ls: cannot access 'nosuch': No such file or directory\ndeep\nx\n2\nsub\nsub/x\n`,
  ],
  [
    'ls -l sub && ls -l t && ls -ld sub && ls -l .',
    'drwxr-xr-x 2 root root   4096 Jul 30 14:56 deep\n-rw-r--r-- 1 root root      0 Jul 30 14:56 x\n-rw-r--r-- 1 root root      7 Jul 30 14:56 t\ndrwxr-xr-x 2 root root   4096 Jul 30 14:56 sub\n-rw-r--r-- 1 root root      4 Jul 30 14:56 r2\ndrwxr-xr-x 2 root root   4096 Jul 30 14:56 sub\n-rw-r--r-- 1 root root      7 Jul 30 14:56 t\n-rw-r--r-- 1 root root      0 Jul 30 14:56 x\n-rw-r--r-- 1 root root      0 Jul 30 14:56 y\n',
  ],
  [
    'cp t sub && cat sub/t && cp t u && mv u v && cat v && cat u || echo $?; cp t || echo $?; mv t || echo $?; cp t x sub && ls sub && mv v sub/w && ls -1 sub',
    'ab c\nd\nab c\nd\n!cannot read u: no such file\n1\n!cp: missing operand\n1\n!mv: missing operand\n1\ndeep\nt\nx\ndeep\nt\nw\nx\n',
  ],
  [
    'rm nosuch || echo $?; rm -f nosuch && rm sub || echo $?; rm sub/x nosuch sub/t || echo $?; ls sub && rm -r sub && ls sub || echo $?; rm y && ls',
    `!rm: cannot remove 'nosuch': No such file or directory\n1\n!rm: cannot remove 'sub': Is a directory\n1\n!rm: cannot remove 'nosuch': No such file or directory\n1\ndeep\nw\n!ls: cannot access 'sub': No such file or directory\n2\nr2\nt\nx\n`,
  ],
  [
    'echo kept > y && touch y && cat y && touch && mkdir || echo $?; mkdir a b && ls',
    'kept\n!mkdir: missing operand\n1\na\nb\nr2\nt\nx\ny\n',
  ],
  [
    'cd a && pwd && touch inside && ls && cd .. && pwd && cd nosuch || echo $?; cd t || echo $?; cd /tmp && pwd && cd && pwd && cd a && cd ~ && pwd && ls a && cd /root/a && pwd && cd - && pwd',
    '/root/a\ninside\n/root\n!bash: cd: nosuch: No such file or directory\n1\n!bash: cd: t: No such file or directory\n1\n/tmp\n/root\n/root\ninside\n/root/a\n/root\n',
  ],
  [
    'basename /a/b.txt .txt && basename a && dirname /a/b c/d e && basename || echo $?; dirname',
    'b\na\n/a\nc\n.\n!basename: missing operand\n1\n!dirname: missing operand\n',
    1,
  ],
  [
    `printf '1\\n2\\n3\\n' > n && head -n 0 n && head -n 2 n && tail -n 0 n && tail -n 100 n && tail -n +1 n && tail -n +0 n && tail -n +3 n && head -n -2 n && head -n -100 n`,
    '1\n2\n1\n2\n3\n1\n2\n3\n1\n2\n3\n3\n1\n',
  ],
  [
    'head -n 1000001 n || echo $?; tail -n x n || echo $?; head -2 < n && tail -2 < n && seq 12 | head | wc -l && seq 12 | tail | head -1 && head -n 1000000 n && head',
    '!head: -n: got "1000001", allowed: 0 to 1000000\n1\n!tail: -n: got "x", allowed: 0 to 1000000\n1\n1\n2\n2\n3\n10\n3\n1\n2\n3\n!head: got neither a file nor a pipe, allowed: one of them\n',
    1,
  ],
  [
    `printf 'a b\\nc' > w && wc w && wc -l w && wc -w w && wc -c w && wc -l -c w && wc -lw < w && printf 'ä' | wc -c && printf '' | wc`,
    '      1       3       5\n1\n3\n5\n      1       5\n      1       3\n2\n      0       0       0\n',
  ],
  [
    `printf '10 b\\n9 a\\n-1.5 c\\nx d\\n10 a\\n' > s && sort s && sort -n s && sort -r s && sort -nr s && sort -k 2 s && sort -k2,2 s && sort -k 2 -n s && sort -k 0 s || echo $?; sort -k 1001 s || echo $?; sort -k 1000 s`,
    '-1.5 c\n10 a\n10 b\n9 a\nx d\n-1.5 c\nx d\n9 a\n10 a\n10 b\nx d\n9 a\n10 b\n10 a\n-1.5 c\n10 b\n10 a\n9 a\nx d\n-1.5 c\n10 a\n9 a\n10 b\n-1.5 c\nx d\n10 a\n9 a\n10 b\n-1.5 c\nx d\n10 a\n9 a\n10 b\n-1.5 c\nx d\n!sort: -k: got "0", allowed: 1 to 1000\n1\n!sort: -k: got "1001", allowed: 1 to 1000\n1\n-1.5 c\n10 a\n10 b\n9 a\nx d\n',
  ],
  [
    `printf 'b\\na\\nb\\n' | sort -u && printf 'b\\na\\nb\\n' | sort -ru && printf '2 b\\n10 a\\n' | sort -k 1 -n && printf 'b\\nb\\na\\n' | sort -r`,
    'a\nb\nb\na\n2 b\n10 a\nb\nb\na\n',
  ],
  [
    `printf 'a\\na\\nb\\na\\n' > q && uniq q && uniq -c q && uniq -d q && uniq -cd q && printf '' | uniq -c`,
    'a\nb\na\n      2 a\n      1 b\n      1 a\na\n      2 a\n',
  ],
  [
    `printf 'a:b:c:d\\nx\\n' > k && cut -d: -f1 k && cut -d: -f2-3 k && cut -d : -f -2 k && cut -d: -f3- k && cut -d: -f1,4 k && cut -d: -f - k || echo $?; cut -d: k || echo $?; printf 'a\\tb\\n' | cut -f2 && echo 'a=b' | cut -d= -f2`,
    'a\nx\nb:c\nx\na:b\nx\nc:d\nx\na:d\nx\n!cut: -f: got "-", allowed: numbers and ranges such as 1,3-5\n1\n!cut: -f: got "", allowed: numbers and ranges such as 1,3-5\n1\nb\nb\n',
  ],
  [
    `echo hello | tr l L && echo hello | tr -d l && echo hello | tr -s l && echo aabbcc | tr -s a-b x && echo abc | tr a-c x && echo abc | tr abc xy && printf 'a\\nb\\n' | tr '\\n' ' ' && echo && printf 'a\\tb\\n' | tr '\\t' + && echo hello | tr -ds l o && tr || echo $?; tr a`,
    'heLLo\nheo\nhelo\nxcc\nxxx\nxyy\na b \na+b\nheo\n!tr: allowed: tr [-d] [-s] SIGNS [SIGNS]\n1\n!tr: allowed: tr [-d] [-s] SIGNS [SIGNS]\n',
    1,
  ],
  [
    'echo one | tee p q2 && cat p q2 && echo two | tee -a p && cat p && echo three | tee p && cat p && echo new | tee -a fresh && cat fresh && tee -a',
    'one\none\none\ntwo\none\ntwo\nthree\nthree\nnew\nnew\n!tee: allowed: tee [-a] FILE...\n',
    1,
  ],
  ['less n && more < n && less -R k', '1\n2\n3\n1\n2\n3\na:b:c:d\nx\n'],
  [
    `printf 'ab\\nAB\\nxaby\\n' > g && grep ab g && grep -c zz g || echo $?; grep -ci ab g && grep -o -n b g && grep -no 'a\\|y' g && grep -m 0 ab g || echo $?; grep -m 1 ab g && grep -q ab g; echo $?; grep -q zz g; echo $?; grep -cq ab g && grep -cv ab g && grep -F 'a.' g || echo $?; grep -E 'a|y' -o g`,
    'ab\nxaby\n0\n1\n3\n1:b\n3:b\n1:a\n3:a\n3:y\n1\nab\n0\n1\n1\n1\na\na\ny\n',
  ],
  [
    `grep -P 'a(?=b)' -o g && grep -e ab -- g && grep -A 1000001 ab g || echo $?; grep -A 1000000 y g && grep -E '(' g; echo $?; grep; echo $?; grep -w aby g || echo $?; grep '[[:upper:]]' g && grep '[(]' g || echo $?; echo 'a+b' | grep 'a+b' && echo 'a{2}' | grep 'a{2}' && echo aa | grep 'a\\{2\\}'`,
    'a\na\nab\nxaby\n!grep: -A: got "1000001", allowed: 0 to 1000000\n1\nxaby\n!grep: Invalid regular expression: /(/: Unterminated group\n2\n!grep: got no pattern\n2\n1\nAB\n1\na+b\na{2}\naa\n',
  ],
  [
    `printf 'a\\nb\\nc\\nd\\ne\\n' > h && grep -A1 -B1 c h && grep -C0 c h && grep -A1 a h && grep -B1 e h && grep -C 1 -n c h && grep -A1 -m1 '[ac]' h && grep -C1 '[ae]' h && grep -B1 zz h || echo $?; grep -A1 -v '[abde]' h`,
    'b\nc\nd\nc\na\nb\nd\ne\n2-b\n3:c\n4-d\na\nb\na\nb\n--\nd\ne\n1\nc\nd\n',
  ],
  [
    `sed 's/a/\\t/' g && sed 's|a|b|g' g && sed -n '$p' g && sed -n '2,$p' g && sed '/AB/,$d' g && sed 's/AB/x/i' g && sed 's/a/x/gi' g && sed -E 's/(a)(b)/\\2\\1/; s/y$/!/' g && sed '1!d' g || echo $?; sed s/a g || echo $?; sed 's/a/b/q' g`,
    '\tb\nAB\nx\tby\nbb\nAB\nxbby\nxaby\nAB\nxaby\nab\nx\nx\nxxy\nxb\nxB\nxxby\nba\nAB\nxba!\n!sed: got "1!d", allowed: [N|$|/RE/[,N|$|/RE/]] and s/RE/TEXT/[g][i], d, p, a TEXT, i TEXT, c TEXT\n1\n!sed: got "s/a", allowed: [N|$|/RE/[,N|$|/RE/]] and s/RE/TEXT/[g][i], d, p, a TEXT, i TEXT, c TEXT\n1\n!sed: got "s/a/b/q", allowed: [N|$|/RE/[,N|$|/RE/]] and s/RE/TEXT/[g][i], d, p, a TEXT, i TEXT, c TEXT\n',
    1,
  ],
  [
    `echo abc | tr c-a x || echo $?; help awk && echo 'a  b' | sed 's/ */-/' && printf 'x\\n' | sed -n -e 1p -e '$=' || echo $?; sed || echo $?; sed nosuch || echo $?; printf 'b\\n' | sed '2p' && printf 'a\\nb\\nc\\n' | sed -n '/a/,2p' && printf 'a\\nb\\n' | sed '1s/a/x/;2s/b/y/'`,
    `!tr: range-endpoints of 'c-a' are in reverse collating sequence order\n1\nawk [-F SIGN] [-v NAME=VALUE] 'PATTERN {ACTION}...' [FILE...]\n    Takes lines apart: columns, sums, conditions.\n-a  b\n!sed: got "$=", allowed: [N|$|/RE/[,N|$|/RE/]] and s/RE/TEXT/[g][i], d, p, a TEXT, i TEXT, c TEXT\n1\n!sed: got no script, allowed: [N|$|/RE/[,N|$|/RE/]] and s/RE/TEXT/[g][i], d, p, a TEXT, i TEXT, c TEXT\n1\n!sed: got "nosuch", allowed: [N|$|/RE/[,N|$|/RE/]] and s/RE/TEXT/[g][i], d, p, a TEXT, i TEXT, c TEXT\n1\nb\na\nb\nx\ny\n`,
  ],
  [
    'head -n -1 nosuch || echo $?; tail nosuch || echo $?; wc nosuch || echo $?; sort nosuch || echo $?; uniq nosuch || echo $?; cut -f1 nosuch || echo $?; cat nosuch || echo $?; rev nosuch || echo $?; nl nosuch || echo $?; column nosuch || echo $?; diff nosuch nosuch || echo $?; cp nosuch x || echo $?; mv nosuch x || echo $?; less nosuch || echo $?; tac nosuch || echo $?; sed p nosuch || echo $?; grep p nosuch || echo $?; awk 1 nosuch',
    '!cannot read nosuch: no such file\n1\n!cannot read nosuch: no such file\n1\n!cannot read nosuch: no such file\n1\n!cannot read nosuch: no such file\n1\n!cannot read nosuch: no such file\n1\n!cannot read nosuch: no such file\n1\n!cannot read nosuch: no such file\n1\n!cannot read nosuch: no such file\n1\n!cannot read nosuch: no such file\n1\n!cannot read nosuch: no such file\n1\n!cannot read nosuch: no such file\n1\n!cannot read nosuch: no such file\n1\n!cannot read nosuch: no such file\n1\n!cannot read nosuch: no such file\n1\n!cannot read nosuch: no such file\n1\n!cannot read nosuch: no such file\n1\n!cannot read nosuch: no such file\n1\n!cannot read nosuch: no such file\n',
    1,
  ],
  [`printf 'x\\n0.5\\n-0.5\\n' | sort -n && printf 'b 2\\na 10\\nc\\n' | sort -n -k 2`, '-0.5\nx\n0.5\nc\nb 2\na 10\n'],
];
