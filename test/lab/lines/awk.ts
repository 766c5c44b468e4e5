import type { CommandLine } from '../command-lines.js';

/** Programs of awk, as mawk and busybox carry them out. */
export const AWK_LINES: readonly CommandLine[] = [
  [`awk 'BEGIN { print 1+2*3, 2^3^2, 7%4, 8/3, -2+1, 1e3, .5, 10/4 }'`, '7 512 3 2.66667 -1 1000 0.5 2.5\n'],
  [
    `awk 'BEGIN { x = 5; x += 2; x -= 1; x *= 3; x /= 2; x %= 5; x ^= 2; print x; print x++, x, ++x, x--, --x }'`,
    '16\n16 17 18 18 16\n',
  ],
  [
    `awk 'BEGIN { print 1 < 2, 2 <= 2, 3 <= 2, 1 == 1.0, 1 != 2, 1 != 1; print (2 > 1), (1 >= 2), (2 >= 2), (1 > 1) }'`,
    '1 1 0 1 1 0\n1 0 1 0\n',
  ],
  [
    `awk 'BEGIN { print "a" < "b", "10" < "9", "abc" == "abc", "a" "b" == "ab", !0, !"", !"a", !1, "b" <= "a", "a" <= "a" }'`,
    '1 1 1 1 1 1 0 0 0 1\n',
  ],
  [
    `printf '10\\n9\\n007\\nabc\\n' | awk '$1 < 10 { print "n", $1 } $1 == 7 { print "seven" } $1 { print "t" }'`,
    't\nn 9\nt\nn 007\nseven\nt\nt\n',
  ],
  [`printf '0\\n00\\n\\n0x\\n 1 \\n' | awk '{ if ($0) print "t"; else print "f" }'`, 'f\nf\nf\nt\nt\n'],
  [
    `awk 'BEGIN { if (u == 0 && u == "") print "unset"; if ("0") print "text 0"; if ("") print "no"; if (u) print "no" }'`,
    'unset\ntext 0\n',
  ],
  [`printf 'a b\\nc d\\ne f\\n' | awk 'NR==2, NR==3 { print NR ":" $2 }'`, '2:d\n3:f\n'],
  [`printf 'a\\nb\\nc\\na\\nd\\n' | awk '/a/, /b/'`, 'a\nb\na\nd\n'],
  [`printf 'a\\nb\\nab\\n' | awk '/a/, /a/ { print NR }'`, '1\n3\n'],
  [`printf '1 2\\n3 4\\n' | awk '{ s += $1 * $2 } END { print s, NR }'`, '14 2\n'],
  [
    `printf 'a b c\\n' | awk '{ $2 = "x"; print; print NF; $5 = "e"; print; print NF; NF = 2; print; $0 = "p q"; print $1, NF }'`,
    'a x c\n3\na x c  e\n5\na x\np 2\n',
  ],
  [`printf 'a b c\\n' | awk -v OFS=- '{ $1 = $1; print; print $1, $3 }'`, 'a-b-c\na-c\n'],
  [
    `printf 'a:b\\n' | awk -F: -v x=1=2 '{ print $2, x }' && printf 'a\\tb c\\n' | awk -F '\\t' '{ print $2 }' && printf 'aXXb\\n' | awk -F 'X+' '{ print $2 }' && printf 'a|b\\n' | awk -F '|' '{ print $2 }'`,
    'b 1=2\nb c\nb\nb\n',
  ],
  [`printf 'a b\\n' > r && awk '{ print v, $1, FILENAME, NR, FNR }' v=7 r r`, '7 a r 1 1\n7 a r 2 1\n'],
  [
    `awk 'BEGIN { for (i = 0; i < 3; i++) print i; for (;;) { if (++n > 2) break; if (n == 1) continue; print "n" n } }'`,
    '0\n1\n2\nn2\n',
  ],
  [
    `awk 'BEGIN { while (i < 2) print i++; do { j++; print "j" j } while (j < 2); do k++; while (k < 3); print k }'`,
    '0\n1\nj1\nj2\n3\n',
  ],
  [
    `awk 'BEGIN { for (i = 0; i < 2; i++) for (j in a) x; for (i = 0; i < 2; i++) { for (;;) { break } print i } }'`,
    '0\n1\n',
  ],
  [
    `awk 'BEGIN { a["x"] = 1; a["y"]; a[1,2] = 3; if ("y" in a) print "y"; if (!("z" in a)) print "z"; if ((1,2) in a) print "two"; print length(a); delete a["x"]; print length(a); delete a; print length(a) }'`,
    'y\nz\ntwo\n3\n2\n0\n',
  ],
  [`awk 'BEGIN { a["b"] = 2; for (k in a) print k, a[k]; a["c"]; for (k in a) { n++; break } print n }'`, 'b 2\n1\n'],
  [
    `awk 'BEGIN { n = split("a b  c", p); print n, p[1], p[3]; n = split("a:b", q, ":"); print n, q[2]; print split("", r), length(r); print split("a1b22c", s, /[0-9]+/), s[3]; print split(" a ", t, " "), t[1] }'`,
    '3 a c\n2 b\n0 0\n3 c\n1 a\n',
  ],
  [
    `awk 'BEGIN { s = "banana"; print gsub(/a/, "<&>", s), s; t = "banana"; print sub("an", "\\\\&", t), t; print sub(/x/, "y", t), t }'`,
    '3 b<a>n<a>n<a>\n1 b&ana\n0 b&ana\n',
  ],
  [`printf 'aXb aXc\\n' | awk '{ print gsub("X", "-"); print; print $2, NF }'`, '2\na-b a-c\na-c 2\n'],
  [`printf 'x y\\n' | awk '{ sub(/y/, "z", $2); print; $2 = ""; print NF }'`, 'x z\n2\n'],
  [
    `awk 'BEGIN { print substr("hello", 2), substr("hello", 2, 3), substr("hello", 0, 2), substr("hello", -1, 3), substr("hello", 4, 10), "[" substr("hello", 9) "]" }'`,
    'ello ell h h lo []\n',
  ],
  [
    `awk 'BEGIN { print index("hello", "l"), index("hello", "z"), index("hello", "h"), length("abc"), toupper("aB"), tolower("aB"), int(3.9), int(-3.9), int("4x") }'`,
    '3 0 1 3 AB ab 3 -3 4\n',
  ],
  [`printf 'abcd\\n' | awk '{ print length, length($0), length() + 1 }'`, '4 4 5\n'],
  [
    `awk 'BEGIN { print match("foobar", /o+/), RSTART, RLENGTH; print match("x", "y"), RSTART, RLENGTH }'`,
    '2 2 2\n0 0 -1\n',
  ],
  [
    `awk 'BEGIN { printf "%s-%d-%5.2f|%-4s|%03d|%x%%\\n", "a", 3.9, 2.345, "b", 7, 255; printf "none\\n"; printf("%s %s\\n", "p", "q"); print sprintf("%c%s", "A", "z") }'`,
    'a-3- 2.35|b   |007|ff%\nnone\np q\nAz\n',
  ],
  [
    `awk 'BEGIN { printf "%d%% %d %s %*d|\\n", "50%", u, 1.5, 4, 7; printf "%d%s\\n", "3x", "3x" }'`,
    '50% 0 1.5    7|\n33x\n',
  ],
  [`awk 'BEGIN { printf "%s %s\\n", "one", "two", "three" }'`, 'one two\n'],
  [
    `awk 'BEGIN { print "a\\tb\\\\n\\"q\\"\\/"; print 100000, 1000000, 0.1 + 0.2, 123456.789, 3.0, 1e-7, 0.00001234 }'`,
    'a\tb\\n"q"/\n100000 1000000 0.3 123457 3 1e-07 1.234e-05\n',
  ],
  [
    `awk 'BEGIN { print 1 " " 2; print 1 + 1 "x"; print "a" -1; print 2 " " -1; print (1, 2) in a; print ("x") "y" }'`,
    '1 2\n2x\n-1\n2-1\n0\nxy\n',
  ],
  [
    `awk 'BEGIN { print("a", "b"); print ("a")("b"); print (1 > 2) ? "y" : "n"; print (1, 2)\nprint 1,\n2 }'`,
    'a b\nab\nn\n1 2\n1 2\n',
  ],
  [
    `printf 'a1\\nb2\\n' | awk '$1 ~ /^a/ { print "a:", $1 } $1 !~ "a" { print "not" } /1/ && !/b/ { print "both" } /x/ ||\n/2/ { print "or" }'`,
    'a: a1\nboth\nnot\nor\n',
  ],
  [
    `printf 'a b c\\n' | awk '{ print $NF, $(NF-1), $(1+1); i = 1; print $i++, i; print -$0, $1$2, $3 $1 }'`,
    'c b b\n0 1\n-1 1b c1\n',
  ],
  [`printf 'a\\nb\\nc\\n' | awk 'NR == 2 { next } { print } END { print "end", $0 }'`, 'a\nc\nend c\n'],
  [
    `printf 'a\\nb\\n' | awk '{ print; exit 3 } END { print "e" }'; echo $?; awk 'BEGIN { exit } END { print "end" }' && awk 'BEGIN { exit 2; print "x" }'; echo $?`,
    'a\ne\n3\nend\n2\n',
  ],
  [
    `printf 'x\\n' | awk '{ exit 4 } END { exit }'; echo $?; printf 'x\\n' | awk '{ exit 4 } END { exit 5 }'; echo $?; awk 'BEGIN { exit 257 }'; echo $?`,
    '4\n5\n1\n',
  ],
  [`printf "x\\ny\\n" | awk '# remarks may stand here\n{ print \\\n  NR } ; ; END { print "y" } # more'`, '1\n2\ny\n'],
  [
    `printf '1\\n2\\n' | awk 'BEGIN { if (1)\nprint "yes"\nelse\nprint "no"; if (0) print "a"; else if (1) print "b"; else print "c" } { x = $1 } END { print x }'`,
    'yes\nb\n2\n',
  ],
  [`printf 'a b\\n' | awk '{ print $1; { print "block" } } ; END { print NR; print NF }'`, 'a\nblock\n1\n2\n'],
  [
    `awk 'BEGIN { x["a"] += 5; x["a"]++; print x["a"]; y = x["nosuch"]; print length(x); print -x["a"], +"3x", !x["a"] }'`,
    '6\n2\n-6 3 0\n',
  ],
  [
    `awk 'BEGIN { a = b = 3; print a b; print (a == b && b == 3 || 0); print 1 || 0 && 0; print 1 ? 2 ? "x" : "y" : "z" }'`,
    '33\n1\n1\nx\n',
  ],
  [`printf 'a,b\\n' | awk 'BEGIN { FS = ","; ORS = "!" } { print $2 }' && echo`, 'b!\n'],
  [
    `awk 'BEGIN { print length("a" "bc"), 10 % 3 * 2, 2 * 3 % 4, -2 ^ 2, !1 + 1, 1 - 1 - 1, 2 ^ -1, 7 - -2, 2 - +1 }'`,
    '3 2 2 -4 1 -1 0.5 9 1\n',
  ],
  [
    `printf '5 apples\\n' | awk '{ print $1 / 2, $2 / 2, "3x" + 1, "x3" + 1, "1e2" + 0, "+5" + 0, "-" + 0, " 7 " + 0, "1e" + 0, ".5." + 0 }'`,
    '2.5 0 4 1 100 5 0 7 1 0.5\n',
  ],
  [`printf 'a  b\\n' | awk '{ $3 = "c"; print NF ":" $0 } { $7 = ""; print NF }'`, '3:a b c\n7\n'],
  [
    `awk 'BEGIN { s = "a.b"; gsub(".", "x", s); print s; u = "aaa"; print gsub(/a/, "b", u) u; v = "a/b"; gsub(/\\//, "-", v); print v }'`,
    'xxx\n3bbb\na-b\n',
  ],
  [
    `awk 'BEGIN { print 6 / 2 / 3; x = 8; print x / 2; print x /2/ 2; a[1] = 4; print a[1] / 2, (x) / 4; "a" }' && awk 'END { print NR }' r`,
    '1\n4\n2\n2 2\n1\n',
  ],
  [
    `awk 'BEGIN { print 1 in a, "x" ~ "x", "x" ~ /y/, 1 ~ 1; if (!(3 in a)) print "no"; print length(a) }'`,
    '0 1 0 1\nno\n0\n',
  ],
  [`printf '1\\n2\\n3\\n4\\n' | awk 'NR % 2 == 0; NR == 3 { print "three" } END { print NR "" }'`, '2\nthree\n4\n4\n'],
  [
    `printf ' lead  trail \\n' | awk '{ print NF, $1; $1 = $1; print "[" $0 "]" }' && printf ':a::b:\\n' | awk -F: '{ print NF, $2, $4 }'`,
    '2 lead\n[lead trail]\n5 a b\n',
  ],
  [
    `awk 'BEGIN { print "x" > "/dev/stdout" }' > /dev/null || echo $?; awk 'BEGIN { n = 3; while (n --> 0) s = s n; print s }'`,
    '!awk: output to files and programs is not in the lab: put "> FILE" or "| PROGRAM" after awk\n2\n210\n',
  ],
  [`awk 'BEGIN { if (!x) print "not"; if (x++ || x) print x; print x-- - x; print - -x, 2--1 }'`, 'not\n1\n1\n0 2\n'],
  [
    `awk 'BEGIN { print 1/0 }' || echo $?; awk 'BEGIN { print 1%0 }' || echo $?; awk 'BEGIN { print 0/1, 0%1, 0*0 }' && awk 'BEGIN { nosuch(1) }' || echo $?; awk 'BEGIN { x' || echo $?; awk 'BEGIN { 1 = 2 }' || echo $?; awk 'BEGIN { print 1 + }' || echo $?; awk 'BEGIN { @ }'`,
    '!awk: division by zero\n2\n!awk: division by zero\n2\n0 0 0\n!awk: function nosuch not defined\n2\n!awk: syntax error at the end of BEGIN { x\n2\n!awk: syntax error at "= 2 }" of BEGIN { 1 = 2 }\n2\n!awk: syntax error at "}" of BEGIN { print 1 + }\n2\n!awk: syntax error at "@ }"\n',
    2,
  ],
  [
    `awk 'BEGIN { delete 1 }' || echo $?; awk 'BEGIN { if 1 }' || echo $?; awk '}' || echo $?; awk 'BEGIN { (1,2) }' || echo $?; awk 'BEGIN { (1,2) x a }' || echo $?; awk 'BEGIN { $++x }' || echo $?; awk 'BEGIN { $--x }' || echo $?; awk '/a' || echo $?; awk 'BEGIN { f( }' || echo $?; awk 'BEGIN { a[1 }' || echo $?; awk 'BEGIN { x ? 1 }'`,
    '!awk: syntax error at "}" of BEGIN { delete 1 }\n2\n!awk: syntax error at "1 }" of BEGIN { if 1 }\n2\n!awk: syntax error at "}" of }\n2\n!awk: syntax error at "}" of BEGIN { (1,2) }\n2\n!awk: syntax error at "x a }" of BEGIN { (1,2) x a }\n2\n!awk: syntax error at "x }" of BEGIN { $++x }\n2\n!awk: syntax error at "x }" of BEGIN { $--x }\n2\n!awk: syntax error at "/a" of /a\n2\n!awk: syntax error at "}" of BEGIN { f( }\n2\n!awk: syntax error at "}" of BEGIN { a[1 }\n2\n!awk: syntax error at "}" of BEGIN { x ? 1 }\n',
    2,
  ],
  [
    `awk 'BEGIN { do x++; until }' || echo $?; awk 'BEGIN { print "a" aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ] }' || echo $?; awk 'BEGIN { @aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa }' || echo $?; awk 'BEGIN { ]aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa }'`,
    '!awk: syntax error at "until }" of BEGIN { do x++; until }\n2\n!awk: syntax error at "] }" of BEGIN { print "a" aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ] }\n2\n!awk: syntax error at "@aaaaaaaaaaaaaaaaaaa"\n2\n!awk: syntax error at "]aaaaaaaaaaaaaaaaaaa" of BEGIN { ]aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa }\n',
    2,
  ],
  [
    `awk -v 1=2 'BEGIN {}' || echo $?; awk -v x 'BEGIN {}' || echo $?; awk || echo $?; awk -F || echo $?; awk 'BEGIN { split("a") }' || echo $?; awk 'BEGIN { split("a", 1) }' || echo $?; awk 'BEGIN { while (1) x++ }'`,
    `!awk: -v: got "1=2", allowed: NAME=VALUE\n2\n!awk: -v: got "x", allowed: NAME=VALUE\n2\n!awk: got no program, allowed: awk '{print $1}' [FILE...]\n2\n!awk: option -F needs a value\n1\n!awk: split: the second argument is an array\n2\n!awk: split: the second argument is an array\n2\n!awk: a loop ran 1000000 times; it would never end\n`,
    2,
  ],
  [
    `awk 'BEGIN { print 1 > "f" }' || echo $?; awk 'BEGIN { print 1 | "sort" }' || echo $?; awk 'BEGIN { print ("a") > "f" }' || echo $?; awk 'BEGIN { print (1 > 0) }' && awk 'BEGIN { printf "a" > "f" }'`,
    '!awk: output to files and programs is not in the lab: put "> FILE" or "| PROGRAM" after awk\n2\n!awk: output to files and programs is not in the lab: put "> FILE" or "| PROGRAM" after awk\n2\n!awk: output to files and programs is not in the lab: put "> FILE" or "| PROGRAM" after awk\n2\n1\n!awk: output to files and programs is not in the lab: put "> FILE" or "| PROGRAM" after awk\n',
    2,
  ],
  [
    `awk 'BEGIN { n = 3; for (n; ; ) { if (n-- < 1) break; print n } for (n = 0; n < 1; ) n++; print n; for (k in none) print "no" }'`,
    '2\n1\n0\n1\n',
  ],
  [
    `awk 'BEGIN { a[1] = 1; if ((9,9) in a) print "wrong"; if ((9) in a) print "wrong"; if (1 in a) print "one"; b = "x"; c = (1 in a) "y"; print c, length(b), substr("abc", 2, 1), substr("abc", 1.4, 1), substr("abc", 0) }'`,
    'one\n1y 1 b a abc\n',
  ],
  [
    `printf 'a\\nb\\n' > r2 && awk 'FNR == 1 { n++ } END { print n, NR, FNR, FILENAME }' r2 r2 && awk 'BEGIN { print NR, FNR, NF, RSTART, RLENGTH "|" FS "|" OFS "|" ORS "|" FILENAME }' && echo x | awk '{ print FILENAME "|" NR }' -`,
    '2 4 2 r2\n0 0 0 0 -1| | |\n|\n|1\n',
  ],
  [
    `awk 'BEGIN { printf "%5s|%-5s|%05d|%+d|%.1f|%e|%g|%o|%c|%i\\n", "ab", "ab", 42, 7, 2.26, 12345.678, 0.00001, 8, "hello", 3.7; printf "%s" }' && echo`,
    '   ab|ab   |00042|+7|2.3|1.234568e+04|1e-05|10|h|3\n\n',
  ],
  [
    `printf 'k v\\nk w\\nj x\\n' | awk '{ c[$1]++; l[$1] = l[$1] $2 } END { for (i in c) print i, c[i], l[i] | "sort" }' || echo $?; printf 'k v\\nk w\\n' | awk '{ c[$1]++; l[$1] = l[$1] $2 } END { for (i in c) print i, c[i], l[i] }'`,
    '!awk: output to files and programs is not in the lab: put "> FILE" or "| PROGRAM" after awk\n2\nk 2 vw\n',
  ],
  [
    `printf '3\\n10\\n9\\n' | awk '$1 > m { m = $1 } END { print m }' && printf '1 2 3\\n' | awk '{ for (i = NF; i > 0; i--) printf "%s%s", $i, i > 1 ? " " : "\\n" }' || echo $?; printf 'a b\\n' | awk '{ $0 = $0 " c"; print NF }' && printf 'x\\n' | awk 'BEGIN { OFS = "-" } { $3 = "z" } 1' && printf 'p\\nq\\n' | awk 'NR > 1' && printf 'p\\nq\\n' | awk '!/p/'`,
    '10\n!awk: output to files and programs is not in the lab: put "> FILE" or "| PROGRAM" after awk\n2\n3\nx--z\nq\nq\n',
  ],
  [
    `awk 'BEGIN { if (!("x" in a)) a["x"]; print length(a); delete a["y"]; print length(a); x = "A"; y = x++; print x, y; s = "10"; print s + 0 == 10, s == 10, s "" == "10" }'`,
    '1\n1\n1 0\n1 1 1\n',
  ],
  [
    `awk 'BEGIN { print length(12345), index("a.b", "."), toupper(substr("abc", 2)), int("0x1A"), 1e3 == 1000, "a" > "B", 011 + 0, 1.50 }' || echo $?; awk 'BEGIN { exit(3) }' || echo $?; awk 'BEGIN { exit 1 + 1 } END { print "e" }'`,
    '!awk: output to files and programs is not in the lab: put "> FILE" or "| PROGRAM" after awk\n2\n3\ne\n',
    2,
  ],
  [
    `printf 'a\\nb\\n' | awk '{ for (;;) { next } } END { print "done", NR }' && awk 'BEGIN { while (1) exit 3 }' || echo $?; awk 'BEGIN { if (0) print "a"; print "b"; if (1) { print "c" } print "d"; do if (0) x; while (0); for (;;) if (n++ > 1) break; print n }'`,
    'done 2\n3\nb\nc\nd\n3\n',
  ],
];
