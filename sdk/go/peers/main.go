// Has this instance registered, or prints the cluster's peers, a list on a line.
//
//	peers CONTRACT tls|wireguard register|peers|watch [LISTS]
//
// Status 0: done; 1: the node is not there, or refuses; 2: it follows another contract, or in another mode.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"kettle/dstackp2p"
)

func run(what string, lists int) error {
	sdk, err := dstackp2p.New(os.Args[1], os.Args[2])
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	switch what {
	case "register":
		return sdk.Register(ctx)
	case "peers":
		peers, err := sdk.GetPeers(ctx)
		if err == nil {
			fmt.Println(strings.Join(peers, " "))
		}
		return err
	}
	err = sdk.MonitorPeers(ctx, func(peers []string) {
		fmt.Println(strings.Join(peers, " "))
		if lists--; lists == 0 {
			cancel()
		}
	})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: peers CONTRACT MODE register|peers|watch [LISTS]")
		os.Exit(64)
	}
	lists := 0
	if len(os.Args) > 4 {
		lists, _ = strconv.Atoi(os.Args[4])
	}
	err := run(os.Args[3], lists)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	switch {
	case errors.Is(err, dstackp2p.ErrOther):
		os.Exit(2)
	case err != nil:
		os.Exit(1)
	}
}
