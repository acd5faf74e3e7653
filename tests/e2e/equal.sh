#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# `compile --to nft` loaded by Debian's nft gives the ruleset that apply writes
# through netlink: for the example, the policy library and all golden rules.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

# As both sides print it, without what counts packets
ruleset()	# NAMESPACE
{
	in_ns "$1" nft -s list ruleset
}

# The interfaces that files name, with addresses, so that few rules lack something
host_with_all()	# VARIABLE
{
	lab_bare "$1"
	in_ns "${!1}" ip -batch - <<-END
		link add em0 type veth peer name em1
		link set em0 up
		link set em1 up
		addr add 198.51.100.2/24 dev em0
		addr add 10.9.9.1/24 dev em1
		addr add 2001:db8:51::2/64 dev em0 nodad
	END
}

n_compared=0
equal()		# NAME ARGS
{
	local name=$1 theirs

	shift
	host_with_all HOST
	sp "$@" apply -q
	case $rc in 65 | 69) return 0 ;; esac	# wrong on purpose, or not for this host
	if [ "$rc" -ne 0 ]; then
		not_ok "$name: apply" "exit status $rc: $err"
		return
	fi
	ruleset "$HOST" >"$TMP/ours"
	sp "$@" compile --to nft -o "$TMP/text.nft"
	if [ "$rc" -ne 0 ]; then
		not_ok "$name: compile" "exit status $rc: $err"
		return
	fi
	host_with_all theirs
	if ! in_ns "$theirs" nft -f "$TMP/text.nft" 2>"$TMP/nft.err"; then
		not_ok "$name: nft takes the text" "$(head -n 8 "$TMP/nft.err")"
		return
	fi
	ruleset "$theirs" >"$TMP/theirs"
	n_compared=$((n_compared + 1))
	same "$name: the same ruleset" "$TMP/ours" "$TMP/theirs"
}

cd "$LAB_TOP" || exit
equal "the example" "${EXAMPLE_FILES[@]}"
check "the example was compared" test $n_compared -eq 1
for fence in interior source egress local; do
	equal "the example without fence $fence" --no-fence=$fence "${EXAMPLE_FILES[@]}"
done
equal "the example without fences" --no-fence "${EXAMPLE_FILES[@]}"

while read -r file; do
	equal "$file" --lang pf -f "$file"
done < <(find rules tests/golden -type f \( -name '*pf*.conf' -o -name '*.pf' \) 2>/dev/null | sort)


# Rules of real hosts
if [ -z "${SALLYPORT_CORPUS-}" ]; then
	skip "rules of real hosts" "../shared absent"
else
	for file in "$SALLYPORT_CORPUS"/pf/*.conf "$SALLYPORT_CORPUS"/pf-toolforms/*; do
		equal "corpus ${file#"$SALLYPORT_CORPUS"/}" --lang pf -f "$file"
	done
fi
lab_done
