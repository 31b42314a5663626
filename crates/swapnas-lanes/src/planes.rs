use std::marker::PhantomData;
use std::ops::Range;

/// How the channels of an image lie in memory.
///
/// The lane of channel c, row y, column x is at
/// `c * channel_stride + (y - first_row) * row_stride + (x - first_column)`. Rows and columns may be
/// negative or beyond the image: that is the halo, the border of zeros that windows reach into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Number of channels.
    pub channels: usize,
    /// Topmost row stored.
    pub first_row: isize,
    /// Number of rows stored.
    pub rows: usize,
    /// Leftmost column stored.
    pub first_column: isize,
    /// Number of columns stored, which is also the distance from row to row.
    pub columns: usize,
}

impl Layout {
    /// An image of `channels` x `height` x `width` with `halo` rows and columns around it.
    pub const fn new(channels: usize, height: usize, width: usize, halo: usize) -> Self {
        let first = -(halo as isize);
        Layout {
            channels,
            first_row: first,
            rows: height + 2 * halo,
            first_column: first,
            columns: width + 2 * halo,
        }
    }

    /// Lanes of one channel.
    pub const fn channel_stride(&self) -> usize {
        self.rows * self.columns
    }

    /// Lanes of all channels.
    ///
    /// # Panics
    /// If there are more than can be counted: places of lanes would wrap around.
    pub const fn lanes(&self) -> usize {
        let lanes = match self.rows.checked_mul(self.columns) {
            Some(channel) => self.channels.checked_mul(channel),
            None => None,
        };
        lanes.expect("an image has no more lanes than a usize can count")
    }

    /// Rows stored.
    pub const fn row_range(&self) -> Range<isize> {
        self.first_row..self.first_row + self.rows as isize
    }

    /// Columns stored.
    pub const fn column_range(&self) -> Range<isize> {
        self.first_column..self.first_column + self.columns as isize
    }

    /// Whether all of `rows` x `columns` is stored.
    pub fn covers(&self, rows: &Range<isize>, columns: &Range<isize>) -> bool {
        let (stored_rows, stored_columns) = (self.row_range(), self.column_range());
        (rows.is_empty() || (stored_rows.start <= rows.start && rows.end <= stored_rows.end))
            && (columns.is_empty()
                || (stored_columns.start <= columns.start && columns.end <= stored_columns.end))
    }

    /// Place of a lane that is stored.
    #[inline(always)]
    pub(crate) fn at(&self, channel: usize, row: isize, column: isize) -> usize {
        debug_assert!(channel < self.channels);
        debug_assert!(self.row_range().contains(&row) && self.column_range().contains(&column));
        channel * self.channel_stride()
            + (row - self.first_row) as usize * self.columns
            + (column - self.first_column) as usize
    }

    #[inline(always)]
    fn row(&self, channel: usize, row: isize, columns: &Range<isize>) -> Range<usize> {
        let (stored_rows, stored) = (self.row_range(), self.column_range());
        assert!(
            channel < self.channels
                && stored_rows.contains(&row)
                && stored.start <= columns.start
                && columns.start <= columns.end
                && columns.end <= stored.end,
            "channel {channel}, row {row}, columns {columns:?} of {self:?}"
        );
        let start = channel * self.channel_stride()
            + (row - self.first_row) as usize * self.columns
            + (columns.start - self.first_column) as usize;
        start..start + columns.len()
    }
}

/// The channels of an image for one block of samples, to be read. `T` is a lane, or a lane's signs.
#[derive(Clone, Copy)]
pub struct Planes<'a, T> {
    lanes: *const T,
    layout: Layout,
    /// The rows that may be read, `rows.0 .. rows.1`.
    rows: (isize, isize),
    borrow: PhantomData<&'a [T]>,
}

// SAFETY: a view is as good as a `&` to its rows.
unsafe impl<T: Sync> Send for Planes<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Planes<'_, T> {}

impl<'a, T: Copy> Planes<'a, T> {
    /// Views the first `layout.lanes()` lanes.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn new(lanes: &'a [T], layout: Layout) -> Self {
        let Range { start, end } = layout.row_range();
        let lanes = lanes[..layout.lanes()].as_ptr();
        Planes { lanes, layout, rows: (start, end), borrow: PhantomData }
    }

    /// Where the lanes lie.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Some of the channels.
    ///
    /// # Panics
    /// If there are fewer.
    #[must_use]
    pub fn channels(mut self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.layout.channels, "channels {range:?}");
        self.lanes = self.lanes.wrapping_add(range.start * self.layout.channel_stride());
        self.layout.channels = range.len();
        self
    }

    /// A part of a row.
    ///
    /// # Panics
    /// If the row may not be read or the columns are not stored.
    #[inline(always)]
    pub fn row(&self, channel: usize, row: isize, columns: Range<isize>) -> &'a [T] {
        assert!(self.rows.0 <= row && row < self.rows.1, "row {row} is not in {:?}", self.rows);
        let place = self.layout.row(channel, row, &columns);
        // SAFETY: `Layout::row` has checked that the place is one of the `layout.lanes()` lanes that
        // the constructor was given, and nobody writes to this view's rows during its lifetime.
        unsafe { std::slice::from_raw_parts(self.lanes.add(place.start), place.len()) }
    }

    /// All lanes of all channels one after the other, if the `height` x `width` image is all that is stored and all of
    /// it may be read.
    pub fn as_lanes(&self, height: usize, width: usize) -> Option<&'a [T]> {
        let whole = Layout::new(self.layout.channels, height, width, 0);
        if self.layout != whole || self.rows != (0, height as isize) {
            return None;
        }
        // SAFETY: the `layout.lanes()` lanes are those that the constructor was given, or of some of their channels,
        // all rows are this view's, and nobody writes to them during its lifetime.
        Some(unsafe { std::slice::from_raw_parts(self.lanes, whole.lanes()) })
    }

    /// Whether all of `rows` x `columns` may be read.
    pub(crate) fn covers(&self, rows: &Range<isize>, columns: &Range<isize>) -> bool {
        self.layout.covers(rows, columns)
            && (rows.is_empty() || (self.rows.0 <= rows.start && rows.end <= self.rows.1))
    }

    #[inline(always)]
    pub(crate) fn as_ptr(&self) -> *const T {
        self.lanes
    }
}

/// The channels of an image for one block of samples, to be written: all rows, or a band of them
/// while other threads write the others.
pub struct PlanesMut<'a, T> {
    lanes: *mut T,
    layout: Layout,
    /// The rows that are this view's alone.
    rows: Range<isize>,
    borrow: PhantomData<&'a mut [T]>,
}

// SAFETY: a view is the only one with access to its rows, so it is as good as a `&mut` to them.
unsafe impl<T: Send> Send for PlanesMut<'_, T> {}

impl<'a, T: Copy> PlanesMut<'a, T> {
    /// Views the first `layout.lanes()` lanes.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn new(lanes: &'a mut [T], layout: Layout) -> Self {
        let lanes = &mut lanes[..layout.lanes()];
        PlanesMut { lanes: lanes.as_mut_ptr(), layout, rows: layout.row_range(), borrow: PhantomData }
    }

    /// Where the lanes lie.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// A view for a shorter time.
    pub fn reborrow(&mut self) -> PlanesMut<'_, T> {
        PlanesMut { lanes: self.lanes, layout: self.layout, rows: self.rows.clone(), borrow: PhantomData }
    }

    /// Two views, of the rows above `row` and of the others.
    pub fn split_at_row(self, row: isize) -> (PlanesMut<'a, T>, PlanesMut<'a, T>) {
        let row = row.clamp(self.rows.start, self.rows.end);
        let part = |rows| PlanesMut { lanes: self.lanes, layout: self.layout, rows, borrow: PhantomData };
        (part(self.rows.start..row), part(row..self.rows.end))
    }

    /// A part of a row.
    ///
    /// # Panics
    /// If the row is not this view's or the columns are not stored.
    #[inline(always)]
    pub fn row(&mut self, channel: usize, row: isize, columns: Range<isize>) -> &mut [T] {
        assert!(self.rows.contains(&row), "row {row} is not in {:?}", self.rows);
        let place = self.layout.row(channel, row, &columns);
        // SAFETY: `Layout::row` has checked that the place is one of the `layout.lanes()` lanes that
        // the constructor was given, and rows of different views do not overlap: each is made of
        // `columns` lanes of its own, and `split_at_row` gives every row to one view only.
        unsafe { std::slice::from_raw_parts_mut(self.lanes.add(place.start), place.len()) }
    }

    #[inline(always)]
    pub(crate) fn as_mut_ptr(&mut self) -> *mut T {
        self.lanes
    }

    /// All lanes of all channels one after the other, if the `height` x `width` image is all that is stored and all of
    /// it is this view's.
    pub fn as_lanes(&mut self, height: usize, width: usize) -> Option<&mut [T]> {
        let whole = Layout::new(self.layout.channels, height, width, 0);
        if self.layout != whole || self.rows != (0..height as isize) {
            return None;
        }
        // SAFETY: the `layout.lanes()` lanes are those that the constructor was given, or of some of their channels,
        // and all rows are this view's alone.
        Some(unsafe { std::slice::from_raw_parts_mut(self.lanes, whole.lanes()) })
    }

    /// The same rows, to be read.
    pub fn as_planes(&self) -> Planes<'_, T> {
        let rows = (self.rows.start, self.rows.end);
        Planes { lanes: self.lanes, layout: self.layout, rows, borrow: PhantomData }
    }

    /// Some of the channels.
    ///
    /// # Panics
    /// If there are fewer.
    #[must_use]
    pub fn channels(mut self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.layout.channels, "channels {range:?}");
        self.lanes = self.lanes.wrapping_add(range.start * self.layout.channel_stride());
        self.layout.channels = range.len();
        self
    }

    /// Fills what lies outside of the `height` x `width` image.
    pub fn fill_halo(&mut self, height: usize, width: usize, value: T) {
        let height = height as isize;
        let columns = self.layout.column_range();
        let left = 0.clamp(columns.start, columns.end);
        let right = (width as isize).clamp(columns.start, columns.end);
        for channel in 0..self.layout.channels {
            for row in self.rows.clone() {
                if (0..height).contains(&row) {
                    self.row(channel, row, columns.start..left).fill(value);
                    self.row(channel, row, right..columns.end).fill(value);
                } else {
                    self.row(channel, row, columns.clone()).fill(value);
                }
            }
        }
    }
}
