#pragma once

#include "core/network/products.h"
#include "core/support/buffer.h"

namespace sonospike {

/// What products with spikes work with; of one thread.
struct EventScratch {
  ThreadPool* pool = nullptr;              // shares out large products; null: this thread alone
  Buffer<uint32_t> start, index;           // columns that spiked, row by row
  Buffer<uint32_t> start_by_column, rows;  // rows in which a column spiked, column by column
  Buffer<uint32_t> edges;                  // where the spikes of each band begin, or those of some rows
  Buffer<float> dense;                     // bits as floats
  Buffer<float> part;                      // a product's columns that end within a vector

  size_t bytes() const { return bytes_of(start, index, start_by_column, rows, edges, dense, part); }
};

/// What one layer sends to the next, or the input to the first: rows of `width` values, padded with zeros to
/// `stride`. Spikes of 0 and 1 are kept as bits; a product with them costs nothing for a zero where they are
/// few, and gives the same bits as the dense one.
class Activity {
 public:
  enum class Kind {
    kSpikes,  ///< bits alone
    kValues,  ///< floats alone
    kEither   ///< floats, and bits as well as long as all of them are 0 or 1
  };

  /// Makes room for `rows` rows. What was there is lost, but for zeros in the padding.
  void reserve(Kind kind, int width, int stride, size_t rows);

  bool spikes_only() const { return kind_ == Kind::kSpikes; }
  int stride() const { return stride_; }
  size_t bytes() const { return bytes_of(values_, bits_); }
  float* values(size_t row) { return values_.data() + row * stride_; }
  const float* values(size_t row) const { return values_.data() + row * stride_; }
  uint16_t* bits(size_t row) { return bits_.data() + row * words(); }
  const uint16_t* bits(size_t row) const { return bits_.data() + row * words(); }
  int words() const { return stride_ / kLanePad; }

  /// For kind kEither: takes in rows whose values have been written. Once one of them is not 0 or 1, bits are
  /// no longer used.
  void take(size_t row, size_t rows);
  void zero_rows(size_t row, size_t rows);
  /// Keeps of each row what its clip keeps: [clips, stride] as bits and as floats of 0 and 1.
  void mask_rows(size_t row, size_t rows, int clips, const uint16_t* bits, const float* kept);
  /// Copies rows within, to a place before them.
  void copy_rows(size_t from, size_t to, size_t rows);
  /// Calls visit(pointer, count) for what the first rows consist of.
  template <typename Visit>
  void visit_rows(size_t rows, Visit& visit) {
    if (kind_ != Kind::kSpikes) visit(values(0), rows * stride_);
    if (kind_ != Kind::kValues) visit(bits(0), rows * words());
  }
  /// Rows from `row` on as floats.
  void expand(size_t row, size_t rows, float* out) const;
  /// The same where they lie, or in the scratch.
  const float* dense(size_t row, int rows, EventScratch& scratch) const;
  /// Lists the spikes of some rows in the scratch if they are few enough for products by list to be faster.
  bool list(size_t row, int rows, EventScratch& scratch) const;
  /// After `list`, of the same rows: the rows, counted from 0, in which each column spiked, in ascending
  /// order.
  void transpose(int rows, EventScratch& scratch) const;

  /// out[rows, n] = bias + A B over `rows` rows of A from `row` on, or out += A B where there is no bias.
  /// B [width, n].
  void multiply(size_t row, int rows, const float* b, int n, const float* bias, float* out,
                EventScratch& scratch) const;
  /// out[width, n] += A^T D. D [rows, n].
  void multiply_transposed(size_t row, int rows, const float* d, int n, float* out,
                           EventScratch& scratch) const;

 private:
  bool binary() const { return kind_ == Kind::kSpikes || (kind_ == Kind::kEither && all_binary_); }
  Kind kind_ = Kind::kValues;
  bool all_binary_ = true;
  int width_ = 0, stride_ = 0;
  Buffer<float> values_;
  Buffer<uint16_t> bits_;
};

}  // namespace sonospike
