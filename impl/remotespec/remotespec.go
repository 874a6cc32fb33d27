// Package remotespec reads how servers of artifacts and sources are named: in the
// user configuration, in project.conf and on the command line. Behaviour: the
// reference's _remotespec.py.
//
// It knows the form. It opens no file that is named and talks to no server.
package remotespec

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"bst/impl/node"
	"bst/impl/stream"
)

// Purpose is what a server on the command line is for.
type Purpose uint8

const (
	// Both lets the user say whether to push: by default.
	Both Purpose = iota
	// Pull and Push leave no choice.
	Pull
	Push
)

// FromNode reads a server of a configuration file. path makes the paths in it
// absolute. Errors are LOAD/INVALID_DATA with their place.
func FromNode(n *node.Node, path func(string) (string, error)) (stream.Remote, error) {
	r := stream.Remote{From: n.Provenance().String(), RetryLimit: -1, Type: "all"}
	if err := n.ValidateKeys("url", "instance-name", "auth", "connection-config", "type", "push"); err != nil {
		return r, err
	}
	var err error
	if r.URL, err = n.NeedStr("url"); err != nil {
		return r, err
	}
	if r.URL == "" {
		return r, n.Get("url").Errorf("INVALID_DATA", "empty artifact cache URL")
	}
	if r.Instance, err = n.GetStr("instance-name", ""); err != nil {
		return r, err
	}
	if r.Type, err = n.GetStr("type", "all"); err != nil {
		return r, err
	}
	if !validType(r.Type) {
		return r, n.Get("type").Errorf("INVALID_DATA", "Value of 'type' should be one of 'index, storage, all'")
	}
	if r.Push, err = n.GetBool("push", false); err != nil {
		return r, err
	}
	if err := auth(&r, n, path); err != nil {
		return r, err
	}
	return r, connection(&r, n)
}

func validType(t string) bool { return t == "all" || t == "index" || t == "storage" }

func auth(r *stream.Remote, n *node.Node, path func(string) (string, error)) error {
	a, err := n.GetMapping("auth")
	if err != nil || a == nil {
		return err
	}
	if err := a.ValidateKeys("server-cert", "client-key", "client-cert", "access-token", "access-token-reload-interval"); err != nil {
		return err
	}
	for _, file := range []struct {
		key  string
		into *string
	}{{"server-cert", &r.ServerCert}, {"client-key", &r.ClientKey}, {"client-cert", &r.ClientCert}, {"access-token", &r.AccessToken}} {
		text, err := a.GetStr(file.key, "")
		if err != nil {
			return err
		}
		if text == "" {
			continue
		}
		if *file.into, err = path(text); err != nil {
			return a.Get(file.key).Errorf("INVALID_DATA", "%s", err)
		}
	}
	switch {
	case r.ClientKey != "" && r.ClientCert == "":
		return a.Get("client-key").Errorf("INVALID_DATA", "'client-key' was specified without 'client-cert'")
	case r.ClientCert != "" && r.ClientKey == "":
		return a.Get("client-cert").Errorf("INVALID_DATA", "'client-cert' was specified without 'client-key'")
	}
	r.TokenReload, err = duration(a, "access-token-reload-interval", time.Minute)
	return err
}

func connection(r *stream.Remote, n *node.Node) error {
	c, err := n.GetMapping("connection-config")
	if err != nil || c == nil {
		return err
	}
	if err := c.ValidateKeys("keepalive-time", "retry-limit", "retry-delay", "request-timeout"); err != nil {
		return err
	}
	if r.Keepalive, err = duration(c, "keepalive-time", time.Second); err != nil {
		return err
	}
	if r.RetryDelay, err = duration(c, "retry-delay", time.Millisecond); err != nil {
		return err
	}
	if r.RequestTimeout, err = duration(c, "request-timeout", time.Second); err != nil {
		return err
	}
	if c.Get("retry-limit") == nil {
		return nil
	}
	if r.RetryLimit, err = c.GetInt("retry-limit", -1); err == nil && (r.RetryLimit < 0 || r.RetryLimit > 100) {
		err = c.Get("retry-limit").Errorf("INVALID_DATA", "Value of 'retry-limit' should be from 0 to 100")
	}
	return err
}

// longest bounds times: a day.
const longest = 24 * time.Hour

func duration(n *node.Node, key string, unit time.Duration) (time.Duration, error) {
	v, err := n.GetInt(key, 0)
	if err != nil {
		return 0, err
	}
	if v < 0 || v > int(longest/unit) {
		return 0, n.Get(key).Errorf("INVALID_DATA", "Value of '%s' should be from 0 to %d", key, longest/unit)
	}
	return time.Duration(v) * unit, nil
}

// FromString reads a server of the command line: a URL, or several key=value with
// commas between them. path makes the paths in it absolute.
func FromString(text string, purpose Purpose, path func(string) (string, error)) (stream.Remote, error) {
	r := stream.Remote{Type: "all", Push: purpose != Pull, RetryLimit: -1, From: "command line"}
	parts := strings.Split(text, ",")
	if len(parts) == 1 {
		parts = []string{"url=" + text}
		if strings.HasPrefix(text, "url=") {
			parts[0] = text
		}
	}
	for _, part := range parts {
		key, value, ok := strings.Cut(part, "=")
		if !ok || key != "url" && strings.Contains(value, "=") {
			return r, fmt.Errorf("Invalid format '%s' found in remote specification: %s", part, text)
		}
		var err error
		switch key {
		case "url":
			r.URL = value
		case "instance-name":
			r.Instance = value
		case "type":
			if r.Type = value; !validType(value) {
				return r, errors.New("Value for remote 'type' must be one of: index, storage, all")
			}
		case "push":
			switch {
			case purpose != Both:
				return r, fmt.Errorf("The 'push' key is invalid and assumed to be %s", title(r.Push))
			case value == "True", value == "true":
				r.Push = true
			case value == "False", value == "false":
				r.Push = false
			default:
				return r, errors.New("Value for 'push' must be 'True' or 'False'")
			}
		case "server-cert":
			r.ServerCert, err = path(value)
		case "client-key":
			r.ClientKey, err = path(value)
		case "client-cert":
			r.ClientCert, err = path(value)
		case "access-token":
			r.AccessToken, err = path(value)
		default:
			return r, fmt.Errorf("Unexpected key '%s' encountered", key)
		}
		if err != nil {
			return r, err
		}
	}
	switch {
	case r.URL == "":
		return r, errors.New("No URL specified in remote")
	case (r.ClientKey == "") != (r.ClientCert == ""):
		return r, errors.New("'client-key' and 'client-cert' must be specified together")
	}
	return r, nil
}

// title is Python's word for a truth value.
func title(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// Paths makes paths absolute, those that are relative in a folder; a path that
// begins with ~ is in home.
func Paths(dir, home string) func(string) (string, error) {
	return func(text string) (string, error) {
		if text == "" {
			return "", errors.New("a path is empty")
		}
		if rest, ok := strings.CutPrefix(text, "~/"); ok {
			text = filepath.Join(home, rest)
		}
		if !filepath.IsAbs(text) {
			text = filepath.Join(dir, text)
		}
		return text, nil
	}
}
