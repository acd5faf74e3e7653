set -eu
set -- 22 80
