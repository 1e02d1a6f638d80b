// A program as a real compiler makes it: megabytes of code, a garbage collector, maps, interfaces, floats.
package main

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"regexp"
	"sort"
	"strings"
)

func main() {
	fmt.Printf("%x\n", sha256.Sum256([]byte(strings.Repeat("hello", 400000))))

	numbers := make([]int, 0)
	seed := uint32(1)
	for range 300000 {
		seed = seed*1664525 + 1013904223
		numbers = append(numbers, int(seed>>3))
	}
	sort.Ints(numbers)
	fmt.Println(numbers[0], numbers[len(numbers)-1])

	values := map[string]any{}
	for i := range 10000 {
		values[fmt.Sprint("key", i)] = []any{i, math.Sqrt(float64(i)), "value"}
	}
	text, _ := json.Marshal(values)
	var read map[string]any
	if err := json.Unmarshal(text, &read); err != nil {
		panic(err)
	}
	fmt.Println(len(text), len(read))

	var packed bytes.Buffer
	writer, _ := flate.NewWriter(&packed, 6)
	_, _ = writer.Write(text)
	_ = writer.Close()
	unpacked, _ := io.ReadAll(flate.NewReader(&packed))
	fmt.Println(bytes.Equal(unpacked, text), len(regexp.MustCompile(`key\d*7"`).FindAll(text, -1)))

	sum := 0.0
	for i := 1; i < 3000000; i++ {
		sum += 1 / float64(i) / float64(i)
	}
	fmt.Println(sum)
}
