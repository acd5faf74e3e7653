add() {
	ipfw -q add "$@"
}
