package remotespec

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bst/impl/node"
	"bst/impl/stream"
)

func TestFromString(t *testing.T) {
	path := Paths("/cwd", "/home/me")
	for _, test := range []struct {
		text    string
		purpose Purpose
		want    stream.Remote
		wrong   string
	}{
		{text: "https://a:1", want: stream.Remote{URL: "https://a:1", Type: "all", Push: true}},
		{text: "https://a:1", purpose: Pull, want: stream.Remote{URL: "https://a:1", Type: "all"}},
		{text: "url=https://a", want: stream.Remote{URL: "https://a", Type: "all", Push: true}},
		{text: "url=https://a,instance-name=main,type=index,push=False,server-cert=ca.pem,client-key=~/k,client-cert=/c,access-token=t",
			want: stream.Remote{URL: "https://a", Instance: "main", Type: "index", ServerCert: "/cwd/ca.pem", ClientKey: "/home/me/k",
				ClientCert: "/c", AccessToken: "/cwd/t"}},
		{text: "url=https://a,push=true", purpose: Pull, wrong: "The 'push' key is invalid and assumed to be False"},
		{text: "url=https://a,push=true", purpose: Push, wrong: "The 'push' key is invalid and assumed to be True"},
		{text: "url=https://a,push=maybe", wrong: "Value for 'push' must be 'True' or 'False'"},
		{text: "url=https://a,type=other", wrong: "Value for remote 'type' must be one of: index, storage, all"},
		{text: "url=https://a,color=red", wrong: "Unexpected key 'color' encountered"},
		{text: "url=https://a,push", wrong: "Invalid format 'push' found in remote specification: url=https://a,push"},
		{text: "type=all,push=true", wrong: "No URL specified in remote"},
		{text: "", wrong: "No URL specified in remote"},
		{text: "url=https://a,client-key=k", wrong: "'client-key' and 'client-cert' must be specified together"},
	} {
		got, err := FromString(test.text, test.purpose, path)
		if test.wrong != "" {
			if err == nil || err.Error() != test.wrong {
				t.Errorf("%s: error %v, want %s", test.text, err, test.wrong)
			}
			continue
		}
		test.want.RetryLimit, test.want.From = -1, "command line"
		if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", test.text, err, diff)
		}
	}
}

func TestFromNode(t *testing.T) {
	path := Paths("/project", "/home/me")
	for _, test := range []struct {
		yaml, wrong string
		want        stream.Remote
	}{
		{yaml: "url: https://a", want: stream.Remote{URL: "https://a", Type: "all", RetryLimit: -1}},
		{yaml: `url: https://a
push: true
type: storage
instance-name: main
auth:
  server-cert: ca.pem
  client-key: key
  client-cert: cert
  access-token: token
  access-token-reload-interval: 5
connection-config:
  keepalive-time: 60
  retry-limit: 0
  retry-delay: 100
  request-timeout: 3
`, want: stream.Remote{URL: "https://a", Push: true, Type: "storage", Instance: "main", ServerCert: "/project/ca.pem",
			ClientKey: "/project/key", ClientCert: "/project/cert", AccessToken: "/project/token", TokenReload: 5 * time.Minute,
			Keepalive: time.Minute, RetryDelay: 100 * time.Millisecond, RequestTimeout: 3 * time.Second}},
		{yaml: "push: true", wrong: "f [line 1 column 0]: Dictionary did not contain expected key 'url'"},
		{yaml: "url: ''", wrong: "f [line 1 column 5]: empty artifact cache URL"},
		{yaml: "url: a\nkind: b", wrong: "Unexpected key"},
		{yaml: "url: a\ntype: b", wrong: "Value of 'type' should be one of"},
		{yaml: "url: a\nauth:\n  client-key: k", wrong: "f [line 3 column 14]: 'client-key' was specified without 'client-cert'"},
		{yaml: "url: a\nauth:\n  client-cert: k", wrong: "'client-cert' was specified without 'client-key'"},
		{yaml: "url: a\nconnection-config:\n  retry-limit: -1", wrong: "Value of 'retry-limit' should be from 0 to 100"},
		{yaml: "url: a\nconnection-config:\n  request-timeout: 100000", wrong: "Value of 'request-timeout' should be from 0 to 86400"},
	} {
		n, err := node.Parse([]byte(test.yaml), "f")
		if err != nil {
			t.Fatal(err)
		}
		got, err := FromNode(n, path)
		if test.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("%s: error %v, want %s", test.yaml, err, test.wrong)
			}
			continue
		}
		test.want.From = n.Provenance().String()
		if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", test.yaml, err, diff)
		}
	}
}
