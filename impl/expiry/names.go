package expiry

import (
	"os"
	"path/filepath"
	"time"

	"bst/impl/artifact"
	"bst/impl/cas"
	pb "bst/impl/proto/buildstream/v2"
	"bst/impl/reffile"

	"google.golang.org/protobuf/proto"
)

// Artifacts are the names of the artifacts in a cache directory.
func Artifacts(cacheDir string) Names {
	return files(filepath.Join(cacheDir, "artifacts", "refs"), 16, func(b []byte) (trees, blobs []string) {
		a, err := artifact.Decode(b)
		if err != nil {
			return nil, nil
		}
		add := func(list []string, digests ...cas.Digest) []string {
			for _, d := range digests {
				if !d.IsZero() {
					list = append(list, d.Hash)
				}
			}
			return list
		}
		trees = add(trees, a.Files, a.BuildTree, a.BuildRoot, a.Sources)
		if a.BuildSandbox != nil {
			trees = add(trees, a.BuildSandbox.SubsandboxDigests...)
		}
		blobs = add(blobs, a.PublicData, a.LowDiversityMeta, a.HighDiversityMeta)
		for _, log := range a.Logs {
			blobs = add(blobs, log.Digest)
		}
		// The message itself is an object too, where it was pulled or served.
		return trees, append(blobs, cas.DigestBytes(b).Hash)
	})
}

// Sources are the names of staged sources in a cache directory.
func Sources(cacheDir string) Names {
	read := func(b []byte) (trees, blobs []string) {
		var m pb.Source
		if err := proto.Unmarshal(b, &m); err != nil {
			return nil, nil
		}
		return []string{m.GetFiles().GetHash()}, []string{cas.DigestBytes(b).Hash}
	}
	elements := files(filepath.Join(cacheDir, "elementsources"), 0, read)
	single := files(filepath.Join(cacheDir, "source_protos"), 1, read)
	return func(yield func(Root) error) error {
		if err := elements(yield); err != nil {
			return err
		}
		return single(yield)
	}
}

// maxName bounds what is read of a name, in bytes.
const maxName = 64 << 20

func files(root string, depth int, decode func([]byte) (trees, blobs []string)) Names {
	return func(yield func(Root) error) error {
		return reffile.Walk(root, depth, func(path string, used time.Time) error {
			return yield(Root{
				Used: used,
				Read: func() (trees, blobs []string) {
					st, err := os.Stat(path)
					if err != nil || st.Size() > maxName {
						return nil, nil
					}
					b, err := os.ReadFile(path)
					if err != nil {
						return nil, nil
					}
					return decode(b)
				},
				Expire: func() (bool, error) { return reffile.Expire(root, path, used) },
			})
		})
	}
}
