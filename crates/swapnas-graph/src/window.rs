use swapnas_lanes::kernels::window;

/// Zeros around an image, in pixels. Negative numbers cut pixels away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Padding {
    /// Rows above.
    pub top: i32,
    /// Columns to the left.
    pub left: i32,
    /// Rows below.
    pub bottom: i32,
    /// Columns to the right.
    pub right: i32,
}

impl Padding {
    /// The same padding on all four sides.
    pub const fn same(pixels: usize) -> Self {
        let p = pixels as i32;
        Padding { top: p, left: p, bottom: p, right: p }
    }
}

/// Where a convolution or a pool looks: kernel, stride, dilation (rows, columns) and padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Rows and columns from one output pixel to the next.
    pub stride: [usize; 2],
    /// Rows and columns from one tap to the next.
    pub dilation: [usize; 2],
    /// Zeros around the image.
    pub padding: Padding,
}

impl Window {
    /// A square kernel with stride 1 and the padding that keeps the image size (`kernel / 2`).
    pub const fn square(kernel: usize) -> Self {
        Window {
            kernel: [kernel, kernel],
            stride: [1, 1],
            dilation: [1, 1],
            padding: Padding::same(kernel / 2),
        }
    }

    /// The same window with another stride.
    #[must_use]
    pub const fn stride(mut self, stride: usize) -> Self {
        self.stride = [stride, stride];
        self
    }

    /// The same window with another dilation; the padding grows with it, so that the image keeps
    /// its size.
    #[must_use]
    pub const fn dilation(mut self, dilation: usize) -> Self {
        self.dilation = [dilation, dilation];
        self.padding = Padding::same(self.kernel[0] / 2 * dilation);
        self
    }

    /// The same window with another padding.
    #[must_use]
    pub const fn padding(mut self, padding: Padding) -> Self {
        self.padding = padding;
        self
    }

    /// Number of taps of the kernel.
    pub const fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Height and width of the result for an image of `height` x `width`, or `None` if the kernel
    /// is larger than the padded image or a stride or dilation is zero.
    pub fn output(&self, height: usize, width: usize) -> Option<(usize, usize)> {
        let side = |size: usize, before: i32, after: i32, axis: usize| {
            let reach = self.dilation[axis].checked_mul(self.kernel[axis].checked_sub(1)?)?;
            let padded = i64::try_from(size).ok()?.checked_add(i64::from(before) + i64::from(after))?;
            let room =
                usize::try_from(padded.checked_sub(i64::try_from(reach).ok()?)?.checked_sub(1)?).ok()?;
            room.checked_div(self.stride[axis])?.checked_add(1)
        };
        if self.dilation.contains(&0) {
            return None;
        }
        Some((
            side(height, self.padding.top, self.padding.bottom, 0)?,
            side(width, self.padding.left, self.padding.right, 1)?,
        ))
    }

    /// Height and width of what a transposed convolution makes of an image of `height` x `width`, the padding cut away;
    /// `None` if nothing is left, or a stride or dilation is zero.
    pub fn transposed_output(&self, height: usize, width: usize) -> Option<(usize, usize)> {
        let side = |size: usize, before: i32, after: i32, axis: usize| {
            let reach = self.dilation[axis].checked_mul(self.kernel[axis].checked_sub(1)?)?;
            let whole = size.checked_sub(1)?.checked_mul(self.stride[axis])?.checked_add(reach)?;
            let cut = i64::try_from(whole).ok()?.checked_sub(i64::from(before) + i64::from(after))?;
            usize::try_from(cut.checked_add(1)?).ok().filter(|side| *side > 0)
        };
        if self.dilation.contains(&0) || self.stride.contains(&0) {
            return None;
        }
        Some((
            side(height, self.padding.top, self.padding.bottom, 0)?,
            side(width, self.padding.left, self.padding.right, 1)?,
        ))
    }

    /// As kernels have it.
    pub(crate) fn for_lanes(&self) -> window::Window {
        window::Window {
            kernel: self.kernel,
            stride: self.stride,
            dilation: self.dilation,
            origin: [-(self.padding.top as isize), -(self.padding.left as isize)],
        }
    }
}
