/** Further lines that do in the lab what they do in bash: arrays. */
export const ARRAY_LINES: readonly string[] = [
  'a=(x y); echo "${a[@]}" ${#a[@]} ${!a[@]} "${a[*]}" ${a[-1]}',
  'a=(a b c d); echo ${a[@]:1:2} ${a[@]: -1} "${a[@]:2}" ${#a}',
  'a=(a b c); unset "a[1]"; echo ${a[@]} ${#a[@]} ${!a[@]}',
  'a=(7 b c); i=1; echo ${a[i]} ${a[i+1]} ${a[$i]} $((a[0] + 1)); a[i]=z; echo ${a[@]}',
  'a=(1 2 3); s=0; for x in "${a[@]}"; do ((s += x)); done; echo $s; ((a[1] = 9)); echo ${a[1]} $((a[1] + a[2]))',
  'a=([2]=x [5]=y); echo ${#a[@]} ${!a[@]} ${a[5]}; a+=(z); echo ${!a[@]}',
  'a=(); echo ${#a[@]} "${a[@]}" "[${a[0]}]"; a+=("b c"); echo "${a[0]}"; a[0]+=d; echo "${a[0]}"',
  'a=(one two); echo "${a[@]/o/0}" "${a[@]^}" "${a[@]#o}" "pre-${a[@]}-post"; printf "<%s>" "x${a[@]}y"; echo',
  'declare -a a; a[0]=x; echo ${a[0]}; declare -A m; m[k]=v; m["a b"]=c; echo ${m[k]} "${m[a b]}" ${#m[@]}',
  'declare -A m=([a]=1 [b]=2); for k in "${!m[@]}"; do echo "$k=${m[$k]}"; done | sort; unset "m[a]"; echo "${!m[@]}"; [[ -v m[b] ]] && echo has',
  'mapfile -t a < <(printf "x\\ny\\n"); echo ${#a[@]} ${a[1]}; mapfile b <<< q; printf "%s" "${b[0]}"',
  'read -a w <<< "p q r"; echo ${w[2]} ${#w[@]}; IFS=: read -ra p <<< "a:b"; echo ${p[1]}',
  'set -- a b c d; echo "${@:2}" "${@:2:2}" "${@: -1}" ${@#b}; for i in "x$@y"; do echo "<$i>"; done',
  'a=(x y); a=z; echo ${a[@]}; b=q; b+=(r); echo ${b[@]} ${#b[@]}; unset a; echo "[${a[@]}]"',
  'echo "a:b c:d" | while IFS=: read -r x y z; do echo "$z|$y|$x"; done; echo " p  q " | { read -r v; echo "[$v]"; }',
];
