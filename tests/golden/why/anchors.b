pass in proto tcp to port 80
block in proto tcp to port 81
