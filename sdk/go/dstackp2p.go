// Package dstackp2p tells the peers of a cluster, as the node beside this program proves them: the DStack P2P SDK's
// three calls.
//
//	sdk, err := dstackp2p.New("0x…", "tls")
//	err = sdk.Register(ctx)
//	peers, err := sdk.GetPeers(ctx)
//	err = sdk.MonitorPeers(ctx, func(peers []string) { … })
//
// The node (kettle run, with the key `membership`) holds the key, sends the transactions and reads the list on state
// that it proved; this package only speaks to it, HTTP over the Unix socket KETTLE_P2P_SOCKET (/run/kettle/p2p.sock).
// Standard library only. A list that cannot be had is an error, never an empty list.
package dstackp2p

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	defaultSocket = "/run/kettle/p2p.sock"
	answerMax     = 1 << 20 // bytes, head included
	peersMax      = 1024
	waitS         = 60 // the node answers a question for changes after so long without one
	answerLimit   = 30 * time.Second
	registerLimit = 600 * time.Second
)

// After failures in a row.
var pausesS = []int{1, 2, 4, 8, 15, 30}

var (
	isContract = regexp.MustCompile(`\A0x[0-9a-fA-F]{40}\z`)
	isPeer     = regexp.MustCompile(`\A[!-~]{1,253}\z`)
	isCursor   = regexp.MustCompile(`\A[0-9A-Za-z_-]{1,128}\z`)
	isFirst    = regexp.MustCompile(`\AHTTP/1\.[01] ([0-9]{3})(?: [ -~]*)?\z`)
	isLength   = regexp.MustCompile(`\A[0-9]{1,7}\z`)
)

// ErrOther says that contract or mode cannot be one, or are others than the node's.
var ErrOther = errors.New("another contract or mode")

// SDK is one cluster, named by its contract and mode.
type SDK struct {
	contract, mode string
	checked        bool
}

// New names a cluster; mode is "tls" or "wireguard". Whether they are the node's own, the first call tells.
func New(contract, mode string) (*SDK, error) {
	if !isContract.MatchString(contract) {
		return nil, fmt.Errorf("%w: not an address: %q", ErrOther, contract)
	}
	if mode != "tls" && mode != "wireguard" {
		return nil, fmt.Errorf("%w: mode must be tls or wireguard, not %q", ErrOther, mode)
	}
	return &SDK{contract: strings.ToLower(contract), mode: mode}, nil
}

// Register has this instance registered, and kept so; it waits until the chain shows it, 10 minutes at most.
func (s *SDK) Register(ctx context.Context) error {
	if err := s.check(ctx); err != nil {
		return err
	}
	var answer struct {
		Registered json.RawMessage `json:"registered"`
	}
	if err := s.known(ask(ctx, &answer, "POST", "/v1/p2p/register", registerLimit)); err != nil {
		return err
	}
	if string(answer.Registered) != "true" {
		return errors.New("the node does not say that it registered")
	}
	return nil
}

// GetPeers gives the endpoints of the active peers, in order of their tokens.
func (s *SDK) GetPeers(ctx context.Context) ([]string, error) {
	if err := s.check(ctx); err != nil {
		return nil, err
	}
	peers, _, err := askPeers(ctx, "")
	return peers, s.known(err)
}

// MonitorPeers calls changed with the list, then again with each other list, until ctx is done; while there is no list,
// it is not called. It never returns nil.
func (s *SDK) MonitorPeers(ctx context.Context, changed func(peers []string)) error {
	if err := s.check(ctx); err != nil {
		return err
	}
	var known []string
	cursor, failures := "", 0
	for {
		var peers []string
		place, err := "", s.check(ctx)
		if errors.Is(err, ErrOther) {
			return err
		}
		if err == nil {
			peers, place, err = askPeers(ctx, cursor)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		cursor, err = place, s.known(err)
		if err != nil {
			pause := time.NewTimer(time.Duration(pausesS[min(failures, len(pausesS)-1)]) * time.Second)
			failures++
			select {
			case <-ctx.Done():
				pause.Stop()
				return ctx.Err()
			case <-pause.C:
			}
			continue
		}
		failures = 0
		if known == nil || !equal(peers, known) {
			known = peers
			changed(append([]string{}, peers...))
		}
	}
}

// Behind a question that fails another node may answer on the socket: the next call asks whether it is ours.
func (s *SDK) known(err error) error {
	if err != nil {
		s.checked = false
	}
	return err
}

// Whether contract and mode are the node's.
func (s *SDK) check(ctx context.Context) error {
	if s.checked {
		return nil
	}
	var status struct{ Contract, Mode *string }
	if err := ask(ctx, &status, "GET", "/v1/p2p/status", answerLimit); err != nil {
		return err
	}
	if status.Contract == nil || status.Mode == nil {
		return errors.New("the node does not say which contract it follows")
	}
	if strings.ToLower(*status.Contract) != s.contract || *status.Mode != s.mode {
		return fmt.Errorf("%w: the node follows %s in mode %s", ErrOther, *status.Contract, *status.Mode)
	}
	s.checked = true
	return nil
}

// A list, never nil without an error, and the place behind it; with a place: when another list is there, or after
// waitS.
func askPeers(ctx context.Context, after string) ([]string, string, error) {
	path, limit := "/v1/p2p/peers", answerLimit
	if after != "" {
		path, limit = fmt.Sprintf("%s?after=%s&wait_s=%d", path, after, waitS), waitS*time.Second+answerLimit
	}
	var answer struct {
		Peers  []*string
		Cursor string
	}
	if err := ask(ctx, &answer, "GET", path, limit); err != nil {
		return nil, "", err
	}
	if answer.Peers == nil || len(answer.Peers) > peersMax {
		return nil, "", errors.New("the node's list of peers is none")
	}
	if !isCursor.MatchString(answer.Cursor) {
		return nil, "", errors.New("the node's list of peers has no place")
	}
	peers := make([]string, 0, len(answer.Peers))
	for _, peer := range answer.Peers {
		if peer == nil || !isPeer.MatchString(*peer) {
			return nil, "", errors.New("a peer in the node's list is none")
		}
		peers = append(peers, *peer)
	}
	return peers, answer.Cursor, nil
}

// One question to the node; the object that it answers with status 200.
func ask(ctx context.Context, out any, method, path string, limit time.Duration) error {
	socket := os.Getenv("KETTLE_P2P_SOCKET")
	if socket == "" {
		socket = defaultSocket
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	raw, err := exchange(ctx, socket, method, path)
	if err != nil {
		return fmt.Errorf("%s: %w", socket, err)
	}
	status, body, err := parse(raw)
	if err != nil {
		return err
	}
	if !utf8.Valid(body) || !bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		return fmt.Errorf("status %d with a body that is no object", status)
	}
	if status != 200 {
		var problem struct{ Detail, Title string }
		if json.Unmarshal(body, &problem) != nil || problem.Detail+problem.Title == "" {
			problem.Detail = "refused"
		}
		if problem.Detail == "" {
			problem.Detail = problem.Title
		}
		return fmt.Errorf("%s (status %d)", problem.Detail, status)
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("status %d with a body that is none of the node's: %w", status, err)
	}
	return nil
}

func exchange(ctx context.Context, socket, method, path string) ([]byte, error) {
	connection, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	ended := make(chan struct{})
	defer close(ended)
	go func() { // a call that is cancelled reads no longer
		select {
		case <-ctx.Done():
			connection.Close()
		case <-ended:
		}
	}()
	question := method + " " + path + " HTTP/1.1\r\nHost: kettle\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
	if _, err := io.WriteString(connection, question); err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(connection, answerMax+1))
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return raw, err
}

// Status and body of a whole HTTP/1.1 answer that has a Content-Length.
func parse(raw []byte) (int, []byte, error) {
	if len(raw) > answerMax {
		return 0, nil, fmt.Errorf("an answer of more than %d bytes", answerMax)
	}
	head, body, ended := strings.Cut(string(raw), "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	first := isFirst.FindStringSubmatch(lines[0])
	var lengths []string
	for _, line := range lines[1:] {
		name, value, isField := strings.Cut(line, ":")
		if isField && strings.EqualFold(name, "content-length") {
			lengths = append(lengths, strings.TrimSpace(value))
		}
	}
	if !ended || first == nil || len(lengths) != 1 || !isLength.MatchString(lengths[0]) {
		return 0, nil, errors.New("an answer that is no HTTP with a length")
	}
	if length, _ := strconv.Atoi(lengths[0]); length != len(body) {
		return 0, nil, fmt.Errorf("an answer that ends early or late: %d bytes of %s", len(body), lengths[0])
	}
	status, _ := strconv.Atoi(first[1])
	return status, []byte(body), nil
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}
