//! What lanes take from the scalar form, on processors that compute floats one by one.

/// Operations of lanes that are the scalar form's.
macro_rules! as_scalar {
    ($($name:ident($($argument:ident: $kind:ty),*) $(-> $result:ty)?;)*) => {
        $(
            #[inline(always)]
            fn $name(self, $($argument: $kind),*) $(-> $result)? {
                $crate::kernels::lanes::Scalar.$name($($argument),*)
            }
        )*
    };
}
pub(super) use as_scalar;
