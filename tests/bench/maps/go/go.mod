module tophash/bench/peer

go 1.19
