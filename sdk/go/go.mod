module kettle/dstackp2p

go 1.19
