package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"bst/impl/bug"
	"bst/impl/cas"
	"bst/impl/proto/bytestream"
	"bst/impl/proto/reapi"
	"bst/impl/proto/repb"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// serverVar makes the test's executable the server, with the variable's words for
// arguments.
const serverVar = "BST_ARTIFACT_SERVER_TEST"

func TestMain(m *testing.M) {
	if args := os.Getenv(serverVar); args != "" {
		os.Args = append(os.Args[:1], strings.Fields(args)...)
		main()
	}
	os.Exit(m.Run())
}

func TestUsage(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, []byte("token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args string
		exit int
		want string
	}{
		{"--help", 0, "Usage: bst-artifact-server"},
		{"", 2, "name one cache directory"},
		{dir + " other", 2, "name one cache directory"},
		{"--frob " + dir, 2, "unknown flag"},
		{"--server-key x " + dir, 2, "--server-key and --server-cert go together"},
		{"--client-certs x " + dir, 2, "needs --server-key"},
		{"--server-key x --server-cert x " + dir, 2, "certificate cannot be used"},
		{"--push-token-file x " + dir, 2, "needs --enable-push"},
		{"--token-file " + key + "x " + dir, 2, "cannot be read"},
		{"--token-file " + key + " --listen :0 " + dir, 2, "in clear text"},
		{"--quota pony " + dir, 2, "--quota: pony"},
		{"--reserved-disk-space 200% " + dir, 2, "--reserved-disk-space"},
		{"--low-watermark 101 " + dir, 2, "--low-watermark"},
		{"--hold 0s " + dir, 2, "--hold"},
		{dir + "/missing", 2, "there is no directory"},
		{"--enable-push " + key, 2, "is no directory"},
		{"--listen nowhere.invalid:1 " + dir, 1, "nowhere.invalid"},
	} {
		var out bytes.Buffer
		if got := run(context.Background(), strings.Fields(tc.args), &out, &out); got != tc.exit || !strings.Contains(out.String(), tc.want) {
			t.Errorf("%s: status %d, want %d and %q:\n%s", tc.args, got, tc.exit, tc.want, out.String())
		}
	}
}

// process is a server in a process of its own.
type process struct {
	cmd    *exec.Cmd
	addr   string
	stderr *bytes.Buffer
	ended  func() error
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.Command(executable), stderr: new(bytes.Buffer)}
	p.cmd.Env = append(os.Environ(), serverVar+"=--listen localhost:0 "+strings.Join(args, " "))
	p.cmd.Stderr = p.stderr
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	m := regexp.MustCompile(`^Serving .* at http://(.*)\n$`).FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("it says %q, %v", line, err)
	}
	p.addr = m[1]
	p.ended = bug.Go(p.cmd.Wait)
	return p
}

func dial(t *testing.T, addr string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

const piece = 1 << 20

// upload sends pieces of content from one to another of them.
func upload(stream bytestream.ByteStream_WriteClient, d cas.Digest, content []byte, from, to int) error {
	for at := from * piece; at < to*piece; at += piece {
		m := &bytestream.WriteRequest{WriteOffset: int64(at), Data: content[at : at+piece], FinishWrite: at+piece == len(content)}
		if at == 0 {
			m.ResourceName = "uploads/u/blobs/" + d.String()
		}
		if err := stream.Send(m); err != nil {
			return err
		}
	}
	return nil
}

// A server that is killed in the middle of an upload leaves nothing that looks like
// an object, and what it leaves is gone with the next one's first write.
func TestKilledInAnUpload(t *testing.T) {
	dir := t.TempDir()
	content := make([]byte, 64*piece)
	rand.NewChaCha8([32]byte{1}).Read(content)
	d := cas.DigestBytes(content)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()

	p := start(t, "--enable-push", dir)
	stream, err := bytestream.NewByteStreamClient(dial(t, p.addr)).Write(ctx)
	if err != nil {
		t.Fatal(err)
	}
	// Much more than windows hold: when it is sent, some has been taken.
	if err := upload(stream, d, content, 0, 48); err != nil {
		t.Fatal(err)
	}
	if left := files(t, dir, "cas/tmp/*/*"); len(left) != 2 { // the lease, the upload
		t.Errorf("while it writes there are %v", left)
	}
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.ended()
	if objects := files(t, dir, "cas/objects/*/*"); len(objects) != 0 {
		t.Errorf("%v", objects)
	}

	p = start(t, "--enable-push", dir)
	conn := dial(t, p.addr)
	missing, err := repb.NewContentAddressableStorageClient(conn).FindMissingBlobs(ctx,
		&repb.FindMissingBlobsRequest{BlobDigests: []*reapi.Digest{{Hash: d.Hash, SizeBytes: d.Size}}})
	if err != nil || len(missing.MissingBlobDigests) != 1 {
		t.Errorf("%v, %v", missing, err)
	}
	if stream, err = bytestream.NewByteStreamClient(conn).Write(ctx); err != nil {
		t.Fatal(err)
	}
	if err := upload(stream, d, content, 0, 64); err != nil {
		t.Fatal(err)
	}
	if answer, err := stream.CloseAndRecv(); err != nil || answer.CommittedSize != d.Size {
		t.Errorf("%v, %v", answer, err)
	}
	if left := files(t, dir, "cas/tmp/*/*"); len(left) != 1 {
		t.Errorf("%v are left", left)
	}
	store, err := cas.Open(filepath.Join(dir, "cas"))
	if err == nil {
		err = store.Verify(d)
	}
	if err != nil {
		t.Error(err)
	}
	p.cmd.Process.Kill()
	p.ended()
}

func files(t *testing.T, dir, glob string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, glob))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// It ends in order: what runs is finished, nothing new begins, the status is 0.
func TestEndsInOrder(t *testing.T) {
	dir := t.TempDir()
	ctx, terminate := context.WithCancel(context.Background())
	out, in := io.Pipe()
	var stderr bytes.Buffer
	status := bug.Go(func() int {
		return run(ctx, []string{"--listen", "localhost:0", "--enable-push", "--verbose", dir}, in, &stderr)
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	addr := strings.TrimSpace(line[strings.LastIndex(line, "http://")+len("http://"):])
	conn := dial(t, addr)
	content := make([]byte, 8*piece)
	rand.NewChaCha8([32]byte{2}).Read(content)
	d := cas.DigestBytes(content)
	stream, err := bytestream.NewByteStreamClient(conn).Write(context.Background())
	if err == nil {
		err = upload(stream, d, content, 0, 7)
	}
	if err != nil {
		t.Fatal(err)
	}
	terminate()
	// The server refuses new connections once it has heard of it.
	for {
		c, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		_, err = repb.NewCapabilitiesClient(c).GetCapabilities(context.Background(), &repb.GetCapabilitiesRequest{})
		c.Close()
		if err != nil {
			break
		}
	}
	if err := upload(stream, d, content, 7, 8); err != nil {
		t.Error(err)
	}
	if answer, err := stream.CloseAndRecv(); err != nil || answer.CommittedSize != d.Size {
		t.Errorf("%v, %v", answer, err)
	}
	if got := status(); got != 0 {
		t.Errorf("status %d: %s", got, stderr.String())
	}
	if text := stderr.String(); !strings.Contains(text, fmt.Sprintf("ByteStream/Write %q OK", d.String()+" at 0")) {
		t.Errorf("the log says: %s", text)
	}
	if left := files(t, dir, "cas/tmp/*"); len(left) != 0 {
		t.Errorf("%v are left", left)
	}
}
