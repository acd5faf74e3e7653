for port in 22 99999; do
	ipfw add allow tcp from any to me $port || true
	ipfw add allow tcp from any to me 70000 || true
done
